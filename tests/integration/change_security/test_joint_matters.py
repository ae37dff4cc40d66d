"""A joint matter with its lead, specialist and plan, and an officer of another city who acts in it."""

from typing import Any
from uuid import uuid4

import httpx

from deploy.local.client import Caller, Callers, wait_for
from deploy.local.sample_data import proposal_json
from deploy.local.stack import Stack
from tests.support.matters import Matters, submit

SMALL: list[dict[str, Any]] = [{"measure": "termination", "personnel_group": "x", "count": 12}]
VANTAA: list[dict[str, Any]] = [{"municipality": "092"}]
THREE = [*VANTAA, {"municipality": "049"}]


def problem(answer: httpx.Response, status: int, slug: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:problem:{slug}"


def read_when(caller: Caller, path: str, holds: Any, what: str) -> Any:
    def look() -> Any:
        answer = caller.get(path)
        return answer.json() if answer.is_success and holds(answer.json()) else None

    return wait_for(look, what)


def listed(callers: Callers, city: str, officer: str, person_years: float = 1.0) -> None:
    coordinator = callers.of(city, city, "coordinator")
    body = {"languages": ["fi", "sv"], "person_years": person_years}
    assert coordinator.send(f"/v1/specialists/{officer}", body, method="PUT")["officer"] == officer
    read_when(
        callers.coordinator,
        "/v1/specialists?limit=200",
        lambda page: any(one["officer"] == officer and one["person_years"] == person_years for one in page["items"]),
        "the listed officer",
    )


def asked(callers: Callers, notice_id: str, competent: str, acting: str) -> str:
    """Ask at the acting city, and wait until the competent one sees it; return its id."""
    body = {"competent_authority": competent, "acting_authority": acting, "reason": "their specialist is absent"}
    acting_id = str(callers.officer[acting].send(f"/v1/cases/{notice_id}/acting", body)["acting_id"])
    again = callers.officer[acting].post(f"/v1/cases/{notice_id}/acting", json=body)
    problem(again, 409, "asked-already")
    acting_is(callers, competent, acting_id, "asked")
    return acting_id


def acting_is(callers: Callers, city: str, acting_id: str, state: str) -> dict[str, Any]:
    found = read_when(
        callers.officer[city],
        f"/v1/acting?state={state}&limit=200",
        lambda page: any(one["acting_id"] == acting_id for one in page["items"]),
        f"{city} to see it {state}",
    )
    return next(one for one in found["items"] if one["acting_id"] == acting_id)


def test_a_joint_matter_has_a_lead_a_specialist_and_one_plan(callers: Callers, matters: Matters) -> None:
    officer = f"v-{matters.unique}"
    listed(callers, "vantaa", officer)
    notice_id = matters.file(sites=THREE, measures=SMALL)["notice_id"]
    matters.complete(notice_id)
    handling = callers.coordinator.read(f"/v1/notices/{notice_id}")["handling"]
    assert (handling["mode"], handling["because"]["code"]) == ("joint", "smaller_and_shared")
    assert (handling["lead"]["authority"], handling["specialist"]["officer"]) == ("vantaa", officer)
    for city in ("helsinki", "espoo", "vantaa"):
        assert matters.case(city, notice_id)["handling"] == handling
    reason = {"authority": "helsinki", "reason": "knows the employer"}
    path = f"/v1/notices/{notice_id}/lead"
    assert callers.officer["vantaa"].put(path, json=reason).status_code == 404  # it is no city's to decide
    named = callers.coordinator.send(path, reason, method="PUT")
    assert (named["lead"]["authority"], named["lead"]["because"]["parameters"]) == (
        "helsinki",
        {"reason": "knows the employer"},
    )
    matters.complete(notice_id, version=2)
    assert matters.case("espoo", notice_id)["handling"] == named
    history = callers.coordinator.read(f"/v1/notices/{notice_id}/handling")["items"]
    assert [one["handling"]["lead"]["authority"] for one in history] == ["helsinki", "vantaa"]
    _plan(callers, notice_id)
    listed(callers, "vantaa", officer, person_years=0)
    waiting = callers.coordinator.read("/v1/joint-matters?without_specialist=true&limit=200")["items"]
    assert [one["specialist_absent"] for one in waiting if one["notice_id"] == notice_id] == [True]
    large = proposal_json(sites=THREE)
    callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": 1, "filing": large})
    matters.complete(notice_id, version=3)
    case = matters.case("espoo", notice_id)
    assert (case["handling_mode"], case["handling"]["because"]["code"]) == ("own", "not_smaller")
    refused = callers.officer["espoo"].post(f"/v1/cases/{notice_id}/plan", json={"step": "follow_up"})
    problem(refused, 409, "not-joint")


def _plan(callers: Callers, notice_id: str) -> None:
    path = f"/v1/cases/{notice_id}/plan"
    session = {"step": "information_sessions", "municipality": "092", "language": "sv"}
    step = callers.officer["vantaa"].send(path, session)
    for city in ("helsinki", "espoo"):
        plan = read_when(callers.officer[city], path, lambda page: page["items"], f"the plan at {city}")
        assert plan["items"] == [step]
    step_path = f"{path}/{step['step_id']}"
    problem(callers.officer["espoo"].put(step_path, json=session | {"state": "done"}), 403, "not-your-step")
    done = callers.officer["helsinki"].send(step_path, session | {"state": "done"}, method="PUT")  # the lead
    assert (done["state"], done["changed_authority"], done["change"]) == ("done", "helsinki", 2)
    for city in ("vantaa", "espoo"):
        read_when(callers.officer[city], path, lambda page: page["items"] == [done], f"the changed plan at {city}")
    assert callers.coordinator.read(f"/v1/notices/{notice_id}/plan")["items"] == [done]


def test_the_plan_of_a_merged_matter_continues_with_it(callers: Callers, matters: Matters) -> None:
    kept, absorbed = (matters.file(sites=VANTAA, measures=SMALL)["notice_id"] for _ in range(2))
    for notice_id in (kept, absorbed):
        matters.complete(notice_id)
    step = callers.officer["vantaa"].send(f"/v1/cases/{absorbed}/plan", {"step": "follow_up"})
    path = f"/v1/notices/{absorbed}/plan"
    read_when(callers.coordinator, path, lambda page: page["items"] == [step], "the step at the joint office")
    why = {"notice_id": absorbed, "reason": "mailed twice"}
    callers.coordinator.send(f"/v1/notices/{kept}/merging", why)
    for what in ("plan", "handling"):
        of_kept, of_absorbed = (callers.coordinator.read(f"/v1/notices/{one}/{what}") for one in (kept, absorbed))
        assert of_kept == of_absorbed
    assert callers.coordinator.read(f"/v1/notices/{kept}/plan")["items"] == [step]
    helsinki = callers.officer["helsinki"]
    read_when(helsinki, f"/v1/cases/{kept}/plan", lambda page: page["items"] == [step], "the plan at Helsinki")


def test_an_officer_acts_in_another_citys_case_while_it_consents_and_not_a_moment_longer(
    callers: Callers, matters: Matters
) -> None:
    notice_id = matters.file(sites=VANTAA, measures=SMALL)["notice_id"]
    matters.complete(notice_id)
    path = f"/v1/cases/{notice_id}"
    guest, vantaa = callers.of("vantaa", "helsinki", "officer"), callers.officer["vantaa"]
    for answer in (guest.get(path), guest.get(f"{path}/acts"), guest.post(f"{path}/acknowledgement")):
        problem(answer, 403, "other-authority")
    vantaa.send(f"{path}/notes", {"text": "for ourselves"})
    acting_id = asked(callers, notice_id, "vantaa", "helsinki")
    problem(guest.get(path), 403, "other-authority")
    own_answer = callers.officer["helsinki"].post(f"/v1/acting/{acting_id}/answer", json={"accepted": True})
    problem(own_answer, 403, "unsolicited-answer")
    consent = vantaa.send(f"/v1/acting/{acting_id}/answer", {"accepted": True})
    assert (consent["state"], consent["ground"]["code"]) == ("in_force", "consent")
    acting_is(callers, "helsinki", acting_id, "in_force")

    assert guest.read(path)["acting_authority"] == "helsinki"
    guest.send(f"{path}/acknowledgement")
    guest.send(f"{path}/steps/employer_contacted", {"state": "done"}, method="PUT")
    problem(guest.post(f"{path}/notes", json={"text": "for us"}), 422, "shared-only")
    guest.send(f"{path}/notes", {"text": "for both", "shared": True})
    assert [note["text"] for note in guest.read(f"{path}/notes")["items"]] == ["for both"]
    for own in ("decline", "taking", "revisions", "withdrawal"):
        assert guest.post(f"{path}/{own}", json={}).status_code in {403, 422}
    acts = vantaa.read(f"{path}/acts")["items"]
    assert [act["act"] for act in acts] == [
        "note_added",
        "step_set",
        "acknowledged",
        "acting_answered",
        "note_added",
    ]
    assert {
        (act["competent_authority"], act["acting_authority"], act["officer"], act["ground"]["code"]) for act in acts[:3]
    } == {("vantaa", "helsinki", "officer-of-helsinki", "consent")}
    assert acts[:3] == [
        act for act in vantaa.read("/v1/acts?of_others=true&limit=200")["items"] if act["notice_id"] == notice_id
    ]
    wait_for(lambda: _entry(matters, notice_id)["state"] == "acknowledged", "the acknowledgement")
    assert _entry(matters, notice_id)["acting_authority"] == "helsinki"

    vantaa.send(f"/v1/acting/{acting_id}/end", {"reason": "our specialist is back"})
    for answer in (guest.get(path), guest.post(f"{path}/closing", json={"outcome": "terminations"})):
        problem(answer, 403, "other-authority")
    ended = acting_is(callers, "helsinki", acting_id, "ended")
    assert (ended["ended_by"], ended["end_reason"]) == ("vantaa", "our specialist is back")
    wait_for(lambda: _entry(matters, notice_id)["acting_authority"] == "vantaa", "the ledger to know")
    assert matters.case("vantaa", notice_id)["acting_authority"] == "vantaa"

    # Asked again, the acting city closes the case; then it ends it itself.
    again = asked(callers, notice_id, "vantaa", "helsinki")
    vantaa.send(f"/v1/acting/{again}/answer", {"accepted": True})
    assert guest.send(f"{path}/closing", {"outcome": "no_terminations"})["state"] == "closed"
    guest.send(f"/v1/acting/{again}/end", {"reason": "done"})
    problem(guest.get(path), 403, "other-authority")
    wait_for(lambda: _entry(matters, notice_id)["case_outcome"] == "no_terminations", "the outcome")
    refused = asked_and_refused(callers, notice_id)
    problem(
        callers.officer["helsinki"].post(f"/v1/acting/{refused}/end", json={"reason": "a test"}), 409, "invalid-state"
    )


def asked_and_refused(callers: Callers, notice_id: str) -> str:
    """Vantaa offers its part to Espoo, which the matter does not concern, and Espoo refuses."""
    notice = callers.system.send("/v1/notices", {"filing": proposal_json(sites=VANTAA, measures=SMALL)})
    path = f"/v1/cases/{notice['notice_id']}/acting"
    wait_for(lambda: callers.officer["helsinki"].get(path.removesuffix("/acting")).is_success, "the case")
    body = {"competent_authority": "helsinki", "acting_authority": "espoo", "reason": f"a deputy, beside {notice_id}"}
    acting_id = str(callers.officer["helsinki"].send(path, body)["acting_id"])
    acting_is(callers, "espoo", acting_id, "asked")
    answer = {"accepted": False, "reason": "nobody is free"}
    callers.officer["espoo"].send(f"/v1/acting/{acting_id}/answer", answer)
    assert acting_is(callers, "helsinki", acting_id, "refused")["end_reason"] == "nobody is free"
    return acting_id


def test_acting_ends_when_the_matter_no_longer_concerns_the_competent_authority(
    callers: Callers, matters: Matters
) -> None:
    notice_id = matters.file(sites=VANTAA, measures=SMALL)["notice_id"]
    matters.complete(notice_id)
    acting_id = asked(callers, notice_id, "vantaa", "helsinki")
    callers.officer["vantaa"].send(f"/v1/acting/{acting_id}/answer", {"accepted": True})
    wait_for(lambda: _entry(matters, notice_id)["acting_authority"] == "helsinki", "the ledger to know")
    dropped = proposal_json(sites=[], measures=SMALL)
    callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": 1, "filing": dropped})
    for city in ("helsinki", "vantaa"):
        assert acting_is(callers, city, acting_id, "ended")["ended_by"] == "rule"
    problem(callers.of("vantaa", "helsinki", "officer").get(f"/v1/cases/{notice_id}"), 403, "other-authority")


def test_a_city_takes_its_part_and_returns_it_to_joint_handling(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file(sites=VANTAA, measures=SMALL)["notice_id"]
    matters.complete(notice_id)
    path = f"/v1/cases/{notice_id}"
    problem(callers.officer["vantaa"].post(f"{path}/returning"), 409, "not-taken")
    callers.officer["vantaa"].send(f"{path}/taking", {})
    assert (
        matters.wait_case("helsinki", notice_id, handling_mode="own")["handling"]["because"]["code"] == "one_authority"
    )
    callers.officer["vantaa"].send(f"{path}/returning")
    for city in ("helsinki", "vantaa"):
        matters.wait_case(city, notice_id, handling_mode="joint")
    assert _entry(matters, notice_id)["state"] == "acknowledged"


def test_an_older_versions_taking_of_anothers_part_is_a_request(
    callers: Callers, matters: Matters, stack: Stack
) -> None:
    notice_id = matters.file(sites=THREE, measures=SMALL)["notice_id"]
    matters.complete(notice_id)
    kind = "change-security.notice-taken.v1"
    body = {
        "type": kind,
        "notice_id": notice_id,
        "authority": "vantaa",
        "parts": ["espoo"],
        "taken_at": "2026-11-25T08:00:00Z",
    }
    topic = "from.vantaa.change-security.v1"
    submit(stack.kafka.bootstrap, (notice_id, kind, body, str(uuid4())), source="/offices/vantaa", topic=topic)
    found = read_when(
        callers.officer["espoo"],
        f"/v1/acting?notice_id={notice_id}",
        lambda page: page["items"],
        "Espoo to be asked",
    )
    assert [(one["acting_authority"], one["state"]) for one in found["items"]] == [("vantaa", "asked")]
    problem(callers.of("espoo", "vantaa", "officer").get(f"/v1/cases/{notice_id}"), 403, "other-authority")
    waiting = callers.coordinator.read(f"/v1/acting?state=asked&notice_id={notice_id}")["items"]
    assert [(one["competent_authority"], one["overdue"]) for one in waiting] == [("espoo", False)]


def _entry(matters: Matters, notice_id: str, authority: str = "vantaa") -> dict[str, Any]:
    return next(entry for entry in matters.ledger(notice_id)["entries"] if entry["authority"] == authority)
