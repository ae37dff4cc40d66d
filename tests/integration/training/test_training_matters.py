"""Quotas, plans, contracts, own staff, statements and decision documents over HTTP, on the running offices."""

import pytest

from deploy.local.client import Caller
from deploy.local.sample_data import group
from deploy.local.stack import JOINT
from tests.support.training import Training

REASON = {"reason": "kokouksen päätös"}


@pytest.fixture
def officer(training: Training) -> Caller:
    """An officer at the joint office who is no coordinator."""
    return training.callers.of(JOINT, "vantaa", "officer")


def test_the_quotas_in_force_are_read_and_never_recorded_here(training: Training, officer: Caller) -> None:
    in_force = officer.read("/v1/seat-quotas/in-force")
    assert (in_force["percents"]["helsinki"], in_force["to_be_checked"]) == (50, True)
    assert training.joint.post("/v1/seat-quotas", json={"percents": {"espoo": 100}}).status_code == 404


def test_a_plan_is_kept_decided_and_becomes_planned_groups(training: Training, officer: Caller) -> None:
    course_id = training.add_course(occupation={"scheme": "ISCO-08", "code": "7212"}, min_size=1, max_size=2)
    for city in ("helsinki", "vantaa"):
        training.wait_joint(training.apply(city, course_id), state="waiting")
    plan = officer.send("/v1/supply/plans", {"uptake": 0})
    path = f"/v1/supply/plans/{plan['plan_id']}"
    assert [one["plan_id"] for one in officer.read("/v1/supply/plans?state=kept&limit=1")["items"]] == [plan["plan_id"]]
    assert next(line for line in plan["planned"] if line["occupation"] == "721")["groups"] >= 1
    body = {"groups": [{"occupation": "721", "course_id": course_id, "group": group(seats=2)}]}
    assert training.joint.post(f"{path}/adoption", json=body).status_code == 409
    approval = {"state": "approved"} | REASON
    assert officer.post(f"{path}/decision", json=approval).status_code == 403
    assert training.joint.send(f"{path}/decision", approval)["state"] == "approved"
    (made,) = training.joint.send(f"{path}/adoption", body)
    assert made["state"] == "planned"
    shown = officer.read(path)
    assert (shown["state"], shown["group_ids"]) == ("adopted", [made["group_id"]])
    assert [one["act"] for one in shown["decisions"]] == ["approved", "adopted"]


def test_own_staff_is_the_employers_own_and_used_seats_are_stated(training: Training, officer: Caller) -> None:
    proposal = {
        "kind": "tasma",
        "title": {"fi": "Hitsaus"},
        "business_id": "2077474-0",
        "employer_size": "large",
        "municipality": "092",
        "seats": 3,
        "training_days": 12,
        "price_eur": "24000.00",
        "starts_on": "2190-02-01",
    }
    path = f"/v1/proposals/{training.employer.send('/v1/proposals', proposal)['proposal_id']}"
    staff = training.employer.send(f"{path}/participants", {"authority": "vantaa", "people": 2})
    assert training.employer.post(f"{path}/participants", json={"authority": "vantaa", "name": "x"}).status_code == 422
    token = training.stack.issuer.system("other-portal", "training:propose")
    stranger = Caller(training.stack.url("training", JOINT), token)
    assert stranger.get(f"{path}/participants").status_code == 404
    wrong = training.employer.send(f"{path}/participants", {"authority": "espoo", "reference": "tt-7"})
    removed = training.employer.send(f"/v1/participants/{wrong['participant_id']}/removal", REASON)
    assert removed["removed_at"]
    assert [one["participant_id"] for one in officer.read(f"{path}/participants")] == [staff["participant_id"]]
    details = group(seats=3, starts_on="2190-02-01", ends_on="2190-02-28")
    group_id = training.joint.send(f"{path}/plan", {"group": details})["group_id"]
    for state in ("open", "selection", "confirmed", "running"):
        training.move(group_id, state)
    attended = {"attended": [{"holder_id": staff["participant_id"], "days": 12}]}
    assert officer.send(f"/v1/groups/{group_id}/attendance", attended) == attended["attended"]
    kept = officer.send("/v1/statements", {"since": "2190-02-01", "until": "2190-02-01"})
    (line,) = [line for line in kept["lines"] if line["group_id"] == group_id]
    assert (line["authority"], line["seats"], line["days"], line["eur"]) == ("vantaa", 2, 24, "12000.00")
    own = f"/v1/statements/{kept['statement_id']}"
    assert officer.post(f"{own}/approval", json=REASON).status_code == 403
    assert training.joint.send(f"{own}/approval", REASON)["state"] == "approved"
    assert group_id in officer.get(f"{own}/document.csv").text
    assert officer.get(f"{own}/document.pdf?lang=sv").content.startswith(b"%PDF")
    listed = officer.read("/v1/statements?state=approved&limit=1")["items"]
    assert [one["statement_id"] for one in listed] == [kept["statement_id"]]


def test_seats_are_called_off_from_a_contract(training: Training, officer: Caller) -> None:
    terms = {
        "provider": "Esimerkkikoulutus Oy",
        "business_id": "2077474-0",
        "title": "Hitsaus",
        "reference": training.unique,
        "valid_from": "2026-01-01",
        "valid_to": "2199-12-31",
        "seat_price_eur": "3000.00",
        "volume": {"vantaa": 2},
        "options": [{"name": "lisä", "volume": {"espoo": 3}, "until": "2199-12-31"}],
    }
    assert officer.post("/v1/contracts", json=terms).status_code == 403
    path = f"/v1/contracts/{training.joint.send('/v1/contracts', terms)['contract_id']}"
    ordered = officer.send(f"{path}/call-offs", {"volume": {"vantaa": 2}})
    assert ordered["eur"] == "6000.00"
    assert officer.post(f"{path}/call-offs", json={"volume": {"vantaa": 1}}).status_code == 409
    assert training.joint.send(f"{path}/option", {"name": "lisä"} | REASON)["left"] == {"espoo": 3, "vantaa": 0}
    assert officer.send(f"/v1/call-offs/{ordered['call_off_id']}/cancellation", REASON)["cancelled_at"]
    assert officer.read(path)["left"] == {"espoo": 3, "vantaa": 2}
    assert len(officer.read(f"{path}/call-offs")["items"]) == 1
    assert training.joint.send(f"{path}/end", REASON)["ended_at"]


def test_a_selection_decision_is_a_document_and_the_city_sees_the_place(training: Training, officer: Caller) -> None:
    course_id = training.add_course()
    first, second = training.apply("vantaa", course_id, 90), training.apply("vantaa", course_id, 50)
    training.add_group(course_id, seats=1)
    assert training.wait_in_city("vantaa", first, position=1)["estimated_start"] == "2027-02-01"
    assert training.wait_in_city("vantaa", second, position=2)["estimated_start"] is None
    rejected = officer.send(f"/v1/applications/{second}/rejection", REASON)
    (decision,) = rejected["decisions"]
    path = f"/v1/applications/{second}/decisions/{decision['decision_id']}/document"
    for lang in ("fi", "sv", "en"):
        document = officer.get(f"{path}?lang={lang}")
        assert document.headers["content-type"] == "application/pdf"
        assert document.content.startswith(b"%PDF")
    other = f"/v1/applications/{first}/decisions/{decision['decision_id']}/document"
    assert officer.get(other).status_code == 404
    assert training.wait_in_city("vantaa", second, state="rejected")["position"] is None
