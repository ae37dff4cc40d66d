"""Courses, a joint queue and seats through all offices, on the real broker and databases."""

import asyncio
import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.client import Caller, Callers, wait_for
from deploy.local.observing import records_on
from deploy.local.sample_data import course, group
from deploy.local.stack import CITIES, JOINT, Stack
from faults.seat_invariants import broken_invariants
from shared.topics import expanded
from tests.support.filings import TEST_IDENTITY_CODE, termination_notice
from tests.support.placement import vacancy
from tests.support.training import Training


def problem(answer: httpx.Response, status: int, slug: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:problem:{slug}"


@pytest.fixture(autouse=True)
def invariants(stack: Stack) -> Any:
    """After every test the seats of all groups are as they must be."""
    yield
    assert asyncio.run(broken_invariants(stack.databases[JOINT].url)) == []


# -- the catalogue


def test_the_catalogue_is_changed_by_staff_and_read_by_everyone_and_copied_to_each_city(training: Training) -> None:
    course_id = training.add_course(kind="career_coaching")
    found = training.employer.read(f"/v1/courses/{course_id}")
    assert found["kind"] == {"fi": "Uravalmennus", "sv": "Karriärträning", "en": "Career coaching"}
    assert any(
        one["course_id"] == course_id for one in training.joint.read("/v1/courses?kind=career_coaching")["items"]
    )
    changed = course(kind="career_coaching", max_size=12)
    told = {"predecessor": 1, "course": changed}
    assert training.joint.send(f"/v1/courses/{course_id}", told, "PUT")["version"] == 2
    problem(training.joint.put(f"/v1/courses/{course_id}", json=told), 409, "stale-predecessor")
    problem(training.employer.post("/v1/courses", json={"course": changed}), 403, "officer-needed")
    problem(training.joint.post("/v1/courses", json={"course": changed | {"min_size": 13}}), 409, "wrong-sizes")
    problem(training.joint.post(f"/v1/courses/{course_id}/groups", json={"group": group(seats=13)}), 409, "wrong-sizes")
    problem(
        training.joint.post(f"/v1/courses/{course_id}/groups", json={"group": group(ends_on="2027-01-01")}),
        409,
        "wrong-dates",
    )


# -- the queue


def test_the_waiting_list_is_ordered_by_points_and_then_by_queue_time(training: Training) -> None:
    course_id = training.add_course()
    late = training.apply("espoo", course_id, 40, queued_at="2026-11-02T08:00:00Z")
    early = training.apply("vantaa", course_id, 40, queued_at="2026-11-01T08:00:00Z")
    better = training.apply("helsinki", course_id, 90, queued_at="2026-11-03T08:00:00Z")
    for one, place in ((better, 1), (early, 2), (late, 3)):
        training.wait_joint(one, position=place, state="waiting")
    first = training.joint.read(f"/v1/courses/{course_id}/queue?limit=2")
    rest = training.joint.read(f"/v1/courses/{course_id}/queue?limit=2&cursor={first['next']}")
    assert [one["application_id"] for one in first["items"] + rest["items"]] == [better, early, late]


def test_an_application_follows_the_criteria_and_is_entered_once(training: Training) -> None:
    course_id = training.add_course()
    officer = training.callers.officer["vantaa"]
    body = {
        "applicant_id": uuid4().hex,
        "course_id": course_id,
        "assessment": {"need": 50},
        "languages": ["fi"],
        "municipality": "092",
        "can_start_from": "2027-01-01",
    }
    first, again = (
        officer.post("/v1/applications", json=body, headers={"Idempotency-Key": body["applicant_id"]}) for _ in "ab"
    )
    assert first.json()["application_id"] == again.json()["application_id"]
    problem(officer.post("/v1/applications", json=body), 409, "already-applied")
    other = body | {"applicant_id": uuid4().hex}
    wrong = officer.post("/v1/applications", json=other | {"assessment": {"looks": 1}})
    problem(wrong, 422, "does-not-follow-the-criteria")
    problem(officer.post("/v1/applications", json=other | {"course_id": str(uuid4())}), 404, "not-found")
    coded = officer.post("/v1/applications", json=other | {"applicant_id": TEST_IDENTITY_CODE})
    problem(coded, 422, "personal-identity-code")
    assert TEST_IDENTITY_CODE not in coded.text
    foreign = training.callers.of("vantaa", "espoo", "officer")
    problem(foreign.get("/v1/applications"), 403, "other-authority")


def test_seats_are_offered_by_quota_and_rule_and_the_next_one_follows_a_decline(training: Training) -> None:
    course_id = training.add_course()
    # Four seats: two of Helsinki, one of Espoo, one of Vantaa.
    ours = [training.apply("helsinki", course_id, 90 - number) for number in range(4)]
    espoo = training.apply("espoo", course_id, 10)
    vantaa = training.apply("vantaa", course_id, 5)
    training.wait_joint(ours[3], position=4)
    training.wait_joint(vantaa, position=6)
    training.wait_joint(espoo, position=5)
    group_id = training.add_group(course_id, "open", "selection")
    assert {one["application_id"] for one in training.seats(group_id)} == {ours[0], ours[1], espoo, vantaa}
    shown = training.wait_in_city("espoo", espoo, state="offered")
    assert shown["reason"] == (
        "the quota decided: within the 1 seats of espoo, by points and queue time"
        " (to be checked: no decision on the quota is recorded)"
    )
    training.answer("espoo", espoo, accepted=False)
    # Nobody else of Espoo waits: the seat is released to the joint queue.
    next_one = training.wait_joint(ours[2], state="offered")
    assert next_one["reason"] == "the points decided: a pooled seat, by points and queue time in the joint queue"
    training.wait_in_city("espoo", espoo, state="waiting", position=2)
    for city, one in (("helsinki", ours[0]), ("helsinki", ours[1]), ("helsinki", ours[2]), ("vantaa", vantaa)):
        training.answer(city, one, accepted=True)
        training.wait_joint(one, state="accepted", group_id=group_id)
    assert training.at_joint(ours[3])["position"] == 1
    decisions = training.at_joint(espoo)["decisions"]
    assert [(one["act"], one["competent_authority"]) for one in decisions] == [
        ("offered", "espoo"),
        ("declined", "espoo"),
    ]


def test_an_offer_that_is_not_answered_expires_in_its_city_and_goes_on(training: Training) -> None:
    course_id = training.add_course()
    first, second = training.apply("vantaa", course_id, 80), training.apply("helsinki", course_id, 70)
    training.wait_joint(first, position=1)
    training.wait_joint(second, position=2)
    training.add_group(course_id, "open", "selection", seats=1, answer_hours=2 / 3600)
    over = "no answer came by the deadline; the application waits for other groups"
    training.wait_joint(first, state="waiting", reason=over)
    training.wait_joint(second, state="waiting", reason=over)
    offer = training.in_city("vantaa", first)["offers"][0]
    late = training.callers.officer["vantaa"].post(f"/v1/offers/{offer['offer_id']}/answer", json={"accepted": True})
    problem(late, 409, "invalid-state")


def test_an_officer_selects_out_of_the_order_with_a_reason_that_is_kept(training: Training) -> None:
    course_id = training.add_course()
    first, last = training.apply("helsinki", course_id, 90), training.apply("vantaa", course_id, 10)
    training.wait_joint(last, position=2)
    group_id = training.add_group(course_id, "open", seats=1)
    training.joint.send(
        f"/v1/groups/{group_id}/selections", {"application_id": last, "reason": "työnantaja on luvannut paikan"}
    )
    training.move(group_id, "selection")
    assert training.at_joint(first)["state"] == "waiting"
    decision = training.at_joint(last)["decisions"][0]
    assert decision["reason"] == "selected by an officer: työnantaja on luvannut paikan"
    assert (decision["competent_authority"], decision["acting_authority"]) == ("vantaa", "helsinki")
    told = {"application_id": first, "reason": "toinenkin"}
    problem(training.joint.post(f"/v1/groups/{group_id}/selections", json=told), 409, "no-free-seat")
    training.joint.send(f"/v1/applications/{first}/rejection", {"reason": "ei täytä valintaperusteita"})
    training.wait_in_city("helsinki", first, state="rejected")


def test_who_did_not_come_is_replaced_and_who_withdraws_too(training: Training) -> None:
    course_id = training.add_course()
    queue = [training.apply("vantaa", course_id, 90 - number) for number in range(3)]
    for place, one in enumerate(queue, 1):
        training.wait_joint(one, position=place)
    group_id = training.add_group(course_id, "open", "selection", seats=1)
    training.answer("vantaa", queue[0], accepted=True)
    training.wait_joint(queue[0], state="accepted")
    training.move(group_id, "confirmed")
    (seat,) = training.seats(group_id)
    training.joint.send(f"/v1/seats/{seat['offer_id']}/no-show", {"reason": "ei tullut aloitukseen"})
    training.wait_in_city("vantaa", queue[0], state="no_show")
    training.answer("vantaa", queue[1], accepted=True)
    training.wait_joint(queue[1], state="accepted")
    training.callers.officer["vantaa"].send(f"/v1/applications/{queue[1]}/withdrawal")
    training.wait_joint(queue[2], state="offered")
    training.wait_joint(queue[1], state="withdrawn")


def test_who_had_a_seat_in_a_cancelled_group_waits_again_at_the_old_place(training: Training) -> None:
    course_id = training.add_course()
    one = training.apply("espoo", course_id, 60, queued_at="2026-10-01T08:00:00Z")
    training.wait_joint(one, position=1)
    group_id = training.add_group(course_id, "open", "selection")
    training.answer("espoo", one, accepted=True)
    training.wait_joint(one, state="accepted")
    training.move(group_id, "cancelled")
    back = training.wait_in_city("espoo", one, state="waiting")
    assert back["application"]["queued_at"] == "2026-10-01T08:00:00Z"
    training.add_group(course_id, "open", "selection")
    training.wait_joint(one, state="offered")


def test_a_transfer_to_another_group_frees_the_seat_for_the_next(training: Training) -> None:
    course_id = training.add_course()
    first, second = training.apply("vantaa", course_id, 90), training.apply("espoo", course_id, 50)
    training.wait_joint(second, position=2)
    training.wait_joint(first, position=1)
    one = training.add_group(course_id, "open", "selection", seats=1)
    training.answer("vantaa", first, accepted=True)
    training.wait_joint(first, state="accepted")
    other = training.add_group(course_id, "open", seats=1)
    training.joint.send(f"/v1/applications/{first}/transfer", {"group_id": other, "reason": "lyhyempi matka"})
    assert training.at_joint(first)["group_id"] == other
    assert training.wait_joint(second, state="offered")["group_id"] == one
    full = training.joint.post(f"/v1/applications/{first}/transfer", json={"group_id": one, "reason": "takaisin"})
    problem(full, 409, "no-free-seat")


def test_an_applicant_who_moves_keeps_place_and_seat_in_the_new_city(training: Training) -> None:
    course_id = training.add_course()
    one = training.apply("vantaa", course_id, 60)
    training.wait_joint(one, position=1)
    group_id = training.add_group(course_id, "open", "selection", seats=1)
    training.open_offer("vantaa", one)
    training.callers.officer["vantaa"].send(f"/v1/applications/{one}/move", {"to_office": "espoo"})
    found = training.wait_in_city("espoo", one, state="offered", applicant_id=None)
    assert found["application"]["points"] == 60
    espoo = training.callers.officer["espoo"]
    espoo.send(f"/v1/applications/{one}/applicant", {"applicant_id": f"{training.unique}-moved"}, "PUT")
    before = found["application"]["reference"]
    wait_for(lambda: training.at_joint(one)["reference"] != before, "the new city's reference")
    training.answer("espoo", one, accepted=True)
    training.wait_joint(one, state="accepted", office="espoo")
    assert training.seats(group_id)[0]["authority"] == "espoo"
    moved = training.callers.officer["vantaa"].post(f"/v1/applications/{one}/withdrawal")
    problem(moved, 409, "invalid-state")


def test_a_group_that_may_be_entered_at_any_time_offers_seats_from_the_start(training: Training) -> None:
    course_id = training.add_course(start_type="continuous", kind="job_search_coaching")
    group_id = training.add_group(course_id, "open", seats=1, starts_on="2026-12-01")
    one = training.apply("helsinki", course_id, can_start_from="2027-03-01")
    training.wait_joint(one, state="offered", group_id=group_id)


# -- forming groups


def test_groups_are_proposed_with_reasons_and_adopted_with_their_members(training: Training) -> None:
    course_id = training.add_course(min_size=2, max_size=4)
    fitting = [training.apply(city, course_id, 60) for city in ("helsinki", "helsinki", "espoo", "vantaa")]
    swedish = training.apply("espoo", course_id, 99, languages=["sv"])
    for one in (*fitting, swedish):
        training.wait_joint(one, state="waiting")
    named = [{"name": "Tikkurila", "group": group(seats=4)}, {"name": "Leppävaara", "group": group(municipality="049")}]
    first, second = (training.joint.send(f"/v1/courses/{course_id}/formations", {"groups": named}) for _ in "ab")
    assert first["placements"] == second["placements"]
    assert sum(first["sizes"].values()) == 4
    left = next(one for one in first["placements"] if one["application_id"] == swedish)
    assert left["slot"] is None
    assert "language fi" in left["would_help"]
    (made,) = training.joint.send(f"/v1/formations/{first['formation_id']}/adoption")
    assert {one["application_id"] for one in training.seats(made["group_id"])} == set(fitting)
    shown = training.joint.read(f"/v1/formations/{first['formation_id']}")
    assert (shown["sizes"], bool(shown["adopted_at"])) == (first["sizes"], True)
    again = training.joint.post(f"/v1/formations/{first['formation_id']}/adoption")
    problem(again, 409, "adopted")
    twice = training.joint.post(f"/v1/courses/{course_id}/formations", json={"groups": [named[0], named[0]]})
    problem(twice, 422, "same-name-twice")


def test_the_same_request_for_a_formation_has_one_effect(training: Training) -> None:
    course_id = training.add_course(min_size=1)
    body = {"groups": [{"name": "Tikkurila", "group": group()}]}
    path, key = f"/v1/courses/{course_id}/formations", {"Idempotency-Key": training.unique}
    first, again = (training.joint.post(path, json=body, headers=key) for _ in "ab")
    assert (first.status_code, first.headers["location"]) == (201, again.headers["location"])
    assert (first.content, again.headers["idempotent-replayed"]) == (again.content, "true")
    other = {"groups": [{"name": "Leppävaara", "group": group()}]}
    problem(training.joint.post(path, json=other, headers=key), 422, "idempotency-key-reused")


# -- lists


def every_page(caller: Caller, path: str) -> list[dict[str, Any]]:
    """Read a list in pages of two."""
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = caller.read(f"{path}limit=2{cursor}")
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = f"&cursor={page['next']}"


def test_lists_go_on_where_the_page_before_ended(training: Training) -> None:
    course_id = training.add_course()
    people = [training.apply("vantaa", course_id, points) for points in (90, 80, 70, 60, 50)]
    training.wait_joint(people[0], position=1)
    training.wait_joint(people[4], position=5)
    groups = [training.add_group(course_id, seats=1, starts_on=f"2027-02-0{day}") for day in (3, 1, 2)]
    in_order = [groups[1], groups[2], groups[0]]
    vantaa = training.callers.officer["vantaa"]
    wait_for(lambda: len(vantaa.read(f"/v1/groups?course_id={course_id}")["items"]) == 3, "the groups in Vantaa")
    for caller in (training.joint, vantaa):
        assert [one["group_id"] for one in every_page(caller, f"/v1/groups?course_id={course_id}&")] == in_order
    assert [one["application_id"] for one in every_page(training.joint, f"/v1/courses/{course_id}/queue?")] == people
    mine = {one["application_id"] for one in every_page(vantaa, "/v1/applications?state=waiting&")}
    assert set(people) <= mine
    for state in ("open", "selection"):
        training.move(groups[0], state)
    for number in range(3):
        training.answer("vantaa", people[number], accepted=False)
        training.wait_joint(people[number + 1], state="offered")
    offers = every_page(training.joint, f"/v1/groups/{groups[0]}/seats?")
    assert [one["application_id"] for one in offers] == people[:4]
    proposed = [training.employer.send("/v1/proposals", proposal())["proposal_id"] for _ in range(3)]
    assert [one["proposal_id"] for one in every_page(training.employer, "/v1/proposals?")][:3] == proposed[::-1]
    courses = [one["course_id"] for one in every_page(vantaa, "/v1/courses?kind=labour_market_training&")]
    assert course_id in courses
    assert courses == sorted(set(courses))
    problem(training.joint.get("/v1/groups?cursor=abc"), 400, "invalid-cursor")


# -- joint procurement


def proposal(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "rekry",
        "title": {"fi": "Kokkeja Tikkurilaan"},
        "business_id": "2077474-0",
        "employer_name": "Esimerkkiruoka Oy",
        "occupation": {"scheme": "ISCO-08", "code": "5120"},
        "municipality": "092",
        "seats": 6,
        "training_days": 60,
        "price_eur": "30000.00",
        "starts_on": "2027-02-01",
    } | changes


def test_a_proposal_goes_from_plan_to_running_and_its_seats_are_settled_by_home_authority(training: Training) -> None:
    told = training.employer.send("/v1/proposals", proposal(), Idempotency_Key=training.unique)
    again = training.employer.send("/v1/proposals", proposal(), Idempotency_Key=training.unique)
    assert told["proposal_id"] == again["proposal_id"]
    assert (told["employer_percent"], told["employer_eur"], told["to_be_checked"]) == (30, "9000.00", False)
    assert told["kind"]["sv"] == "RekryteringsUtbildning"
    other = training.employer.post(
        "/v1/proposals", json=proposal(seats=7), headers={"Idempotency-Key": training.unique}
    )
    problem(other, 422, "idempotency-key-reused")
    path = f"/v1/proposals/{told['proposal_id']}"
    planned = training.joint.send(f"{path}/plan", {"group": group(seats=6)})
    stages = [training.employer.read(path)["stage"]]
    training.wait_city("vantaa", planned["course_id"])
    training.wait_city("espoo", planned["course_id"])
    people = [training.apply(city, planned["course_id"], assessment={}) for city in ("espoo", "vantaa", "vantaa")]
    for one in people:
        training.wait_joint(one, state="waiting")
    for state in ("procurement", "open", "selection"):
        training.move(planned["group_id"], state)
        stages.append(training.employer.read(path)["stage"])
    for city, one in zip(("espoo", "vantaa", "vantaa"), people, strict=True):
        training.answer(city, one, accepted=True)
        training.wait_joint(one, state="accepted")
    for state in ("confirmed", "running"):
        training.move(planned["group_id"], state)
        stages.append(training.employer.read(path)["stage"])
    assert stages == ["preliminary_plan", "procurement", "selection", "selection", "selection", "running"]
    statements = training.joint.read("/v1/settlements?since=2027-02-01&until=2027-02-01")
    own = {one["authority"]: (one["seats"], one["eur"]) for one in statements if one["group_id"] == planned["group_id"]}
    assert own == {"espoo": (1, "7000.00"), "vantaa": (2, "14000.00")}
    problem(training.joint.post(f"{path}/rejection", json={"reason": "myöhäistä"}), 409, "invalid-state")


def test_a_proposal_that_does_not_meet_the_conditions_is_told_every_one(training: Training) -> None:
    bad = proposal(kind="tasma", training_days=9, is_induction=True, business_id="1")
    answer = training.employer.post("/v1/proposals", json=bad)
    problem(answer, 422, "conditions-not-met")
    assert {one["pointer"] for one in answer.json()["errors"]} == {
        "/training_days",
        "/is_induction",
        "/business_id",
        "/employer_size",
    }
    unverified = training.employer.send("/v1/proposals", proposal(kind="tasma", employer_size="medium"))
    assert (unverified["employer_percent"], unverified["to_be_checked"]) == (40, True)
    assert training.joint.send(f"/v1/proposals/{unverified['proposal_id']}/rejection", {"reason": "ei määrärahaa"})[
        "stage"
    ] == ("rejected")
    stranger = Callers(training.stack, "training").system
    problem(stranger.post("/v1/proposals", json=proposal()), 403, "scope-needed")


def test_candidates_come_from_the_three_pools_by_event_and_are_invited_through_their_city(
    training: Training, stack: Stack, pools: None
) -> None:
    course_id = training.add_course(kind="rekry")
    group_id = training.add_group(course_id, "procurement")
    wanted = {"occupation": {"scheme": "ISCO-08", "code": "5120"}, "languages": ["fi"], "municipality": "092"}
    espoo = stack.child("placement", "espoo")
    espoo.stop()
    try:
        training.joint.send(f"/v1/groups/{group_id}/candidate-requests", {"wanted": wanted, "at_most": 3})

        def answers() -> dict[str, Any]:
            return {
                one["office"]: one["candidates"]
                for one in training.joint.read(f"/v1/groups/{group_id}/candidates")["items"]
            }

        partial = wait_for(lambda: found if (found := answers())["helsinki"] and found["vantaa"] else None, "two pools")
        assert partial["espoo"] is None
    finally:
        espoo.start()
        stack.wait_ready("placement", "espoo")
    whole = wait_for(lambda: found if all((found := answers()).values()) else None, "three pools", 60)
    assert all(len(candidates) == 3 for candidates in whole.values())
    chosen = {"office": "vantaa", "reference": whole["vantaa"][0]["reference"]}
    assert training.joint.post(f"/v1/groups/{group_id}/invitations", json=chosen).status_code == 202
    problem(training.joint.post(f"/v1/groups/{group_id}/invitations", json=chosen), 409, "invited")
    nobody = training.joint.post(f"/v1/groups/{group_id}/invitations", json=chosen | {"reference": "x"})
    problem(nobody, 404, "not-found")
    vantaa = training.callers.officer["vantaa"]
    found = wait_for(
        lambda: [one for one in vantaa.read("/v1/invitations")["items"] if one["group_id"] == group_id],
        "the invitation",
    )
    assert found[0]["reference"] == chosen["reference"]
    vantaa.send(f"/v1/invitations/{found[0]['invitation_id']}/answer", {"answer": "declines"})
    invitations = f"/v1/groups/{group_id}/invitations"
    wait_for(lambda: training.joint.read(invitations)["items"][0]["answer"] == "declines", "what came of it")


# -- supply planning


def test_queues_releases_and_vacancies_become_a_plan_of_groups(training: Training, stack: Stack) -> None:
    occupation = {"scheme": "ISCO-08", "code": "8210"}
    course_id = training.add_course(occupation=occupation, min_size=2, max_size=5)
    for number in range(4):
        one = training.apply("vantaa", course_id, number)
        training.wait_joint(one, state="waiting")
    Callers(stack, "change_security").system.send(
        "/v1/notices", {"filing": termination_notice(40, 3).model_dump(mode="json")}
    )
    system = stack.issuer.system("job-board", "vacancies:write")
    httpx.post(
        f"{stack.url('placement', JOINT)}/v1/vacancies",
        json={"vacancy": vacancy(occupation=occupation, positions=7)},
        headers={"Authorization": f"Bearer {system}"},
    ).raise_for_status()

    def look() -> dict[str, Any] | None:
        queue = training.joint.read("/v1/supply")["queue"]
        own = [one for one in queue if (one["occupation"], one["municipality"]) == ("821", "092")]
        return own[0] if own and own[0]["released"] >= 40 and own[0]["vacancies"] >= 7 else None

    line = wait_for(look, "the line of assemblers in Vantaa")
    assert line["waiting"] == 4
    plan = {one["occupation"]: one for one in training.joint.read("/v1/supply?uptake=0.5")["plan"]}
    assert plan["821"]["groups"] >= 4
    assert "4 wait" in plan["821"]["because"]
    svg = training.joint.get("/v1/supply/queue.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert "821" in svg.text
    assert training.joint.get("/v1/supply/queue.png").content[:4] == b"\x89PNG"
    assert "821,092,4" in training.joint.get("/v1/supply/queue.csv").text


# -- faults


def test_a_city_takes_applications_with_the_joint_office_down(training: Training, stack: Stack) -> None:
    course_id = training.add_course()
    group_id = training.add_group(course_id, "open", "selection", seats=2)
    joint = stack.child("training", JOINT)
    joint.stop()
    try:
        one = training.apply("espoo", course_id)
        assert training.in_city("espoo", one)["state"] == "waiting"
    finally:
        joint.start()
        stack.wait_ready("training", JOINT)
    training.wait_joint(one, state="offered", group_id=group_id)


def test_no_seat_is_given_twice_and_none_stays_empty_through_kills_and_a_city_down(
    training: Training, stack: Stack
) -> None:
    course_id = training.add_course()
    group_id = training.add_group(course_id, "open", "selection", seats=12)
    people: list[tuple[str, str]] = []
    vantaa = stack.child("training", "vantaa")
    for number in range(30):
        city = CITIES[number % 3]
        people.append((city, training.apply(city, course_id, number)))
        if number in {8, 16, 24}:
            stack.child("training", JOINT).kill()
            stack.child("training", JOINT).start()
        if number == 12:
            stack.databases[JOINT].kill()
            stack.databases[JOINT].start()
        if number == 20:
            stack.child("training", "espoo").kill()
            stack.child("training", "espoo").start()
            stack.wait_ready("training", "espoo")
    stack.wait_ready("training", JOINT)
    for _, one in people:
        wait_for(lambda one=one: training.at_joint(one), "the application", 60)  # type: ignore[misc]
    vantaa.kill()
    # Every second one who is offered a seat declines, until the queue is empty; Vantaa answers when it is back.
    for place, (city, one) in enumerate(people):
        if city != "vantaa" and training.at_joint(one)["state"] == "offered":
            training.answer(city, one, accepted=place % 2 == 0)
    vantaa.start()
    stack.wait_ready("training", "vantaa")
    wait_for(lambda: _settled(training, people), "every city to know what the joint office has decided", 60)
    assert len(training.seats(group_id)) == 12
    assert asyncio.run(broken_invariants(stack.databases[JOINT].url)) == []


def test_no_seat_is_given_twice_and_none_stays_empty_under_concurrent_acts(training: Training, stack: Stack) -> None:
    """Applications, answers, withdrawals, selections and transfers of one course, all at once and on two groups."""
    course_id = training.add_course()
    groups = [training.add_group(course_id, "open", "selection", seats=seats) for seats in (5, 7)]
    people: list[tuple[str, str]] = []

    def one_person(number: int) -> None:
        chance = random.Random(number)
        city = chance.choice(CITIES)
        one = training.apply(city, course_id, chance.randint(0, 100))
        people.append((city, one))
        act = chance.choice(["withdraw", "select", "answer", "answer", "transfer"])
        wait_for(lambda: training.at_joint(one), "the application", 60)
        if act == "withdraw":
            training.callers.officer[city].send(f"/v1/applications/{one}/withdrawal")
        elif act == "select":
            told = {"application_id": one, "reason": "sattuman valinta"}
            training.joint.post(f"/v1/groups/{chance.choice(groups)}/selections", json=told)
        elif training.at_joint(one)["state"] == "offered":
            training.answer(city, one, accepted=act == "transfer" or chance.random() < 0.5)
            if act == "transfer":
                told = {"group_id": chance.choice(groups), "reason": "sattuman siirto"}
                training.joint.post(f"/v1/applications/{one}/transfer", json=told)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(one_person, range(60)))
    wait_for(lambda: _settled(training, people), "every city to know what the joint office has decided", 60)
    assert [len(training.seats(group_id)) for group_id in groups] == [5, 7]


def _settled(training: Training, people: list[tuple[str, str]]) -> bool:
    for city, one in people:
        here, there = training.in_city(city, one), training.at_joint(one)
        if (here["state"], here["group_id"]) != (there["state"], there["group_id"]):
            return False
        open_here = [offer for offer in here["offers"] if offer["state"] == "open"]
        if len(open_here) != (there["state"] == "offered"):
            return False
    return True


def test_the_same_messages_again_give_the_same_seats(training: Training, stack: Stack) -> None:
    """Everything the cities have said is sent again, under new ids, past the inbox."""
    course_id = training.add_course()
    group_id = training.add_group(course_id, "open", "selection", seats=2)
    people = [("helsinki", training.apply("helsinki", course_id, 50 - number)) for number in range(4)]
    training.wait_joint(people[3][1], state="waiting")
    training.answer("helsinki", people[0][1], accepted=False)
    training.answer("helsinki", people[1][1], accepted=True)
    training.wait_joint(people[1][1], state="accepted")
    training.wait_joint(people[2][1], state="offered")
    before = [training.at_joint(one) for _, one in people], training.seats(group_id)
    handled = asyncio.run(_inbox(stack))
    sent = asyncio.run(_send_again(stack, {one for _, one in people}))
    assert sent == 6
    wait_for(lambda: asyncio.run(_inbox(stack)) >= handled + sent, "the records to be handled again")
    after = [training.at_joint(one) for _, one in people], training.seats(group_id)
    assert after == before


async def _send_again(stack: Stack, keys: set[str]) -> int:
    standing = await records_on(stack, "from.helsinki.training.v1")
    again = [record for record in standing if record.key.decode() in keys]
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap)
    await producer.start()
    for record in again:
        headers = [(name, value if name != "ce_id" else f"again-{uuid4()}".encode()) for name, value in record.headers]
        await producer.send_and_wait(record.topic, record.value, key=record.key, headers=headers)
    await producer.stop()
    return len(again)


async def _inbox(stack: Stack) -> int:
    """Return how many messages the joint office has handled."""
    connection = await asyncpg.connect(stack.databases[JOINT].url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM training.inbox"))
    finally:
        await connection.close()


# -- borders


def test_no_citys_applicant_is_in_another_office_on_a_topic_in_a_log_or_in_a_span(
    training: Training, stack: Stack
) -> None:
    canary = f"kanaria-{uuid4().hex[:10]}"
    course_id = training.add_course()
    training.add_group(course_id, "open", "selection")
    one = training.apply("vantaa", course_id, applicant_id=canary)
    training.answer("vantaa", one, accepted=True)
    training.wait_joint(one, state="accepted")

    async def elsewhere() -> list[str]:
        hits = []
        for office in (JOINT, "helsinki", "espoo"):
            connection = await asyncpg.connect(stack.databases[office].url)
            tables = await connection.fetch(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'training'"
            )
            for table in (row["table_name"] for row in tables):
                found = await connection.fetchval(
                    f"SELECT count(*) FROM training.{table} AS row WHERE row::text LIKE $1", f"%{canary}%"
                )
                hits += [f"{office} {table}"] * found
            await connection.close()
        return hits + [
            record.topic
            for record in await records_on(stack, *expanded(CITIES))
            if canary.encode() in json.dumps([str(record.key), str(record.value), str(record.headers)]).encode()
        ]

    assert asyncio.run(elsewhere()) == []
    assert not any(canary in path.read_text() for path in stack.logs.iterdir())
