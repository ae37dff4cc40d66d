"""No dead end, on the real stack: declined, asked again, dismissed, reopened, merged, linked, overdue."""

import asyncio
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.client import Callers, wait_for
from deploy.local.sample_data import proposal_json
from deploy.local.stack import Stack
from services.change_security import data
from services.change_security.domain.notice import Rulebook
from services.change_security.joint.commands import JointOffice
from shared.clock import SystemClock
from tests.integration.change_security.test_api import problem
from tests.integration.change_security.test_notices import SUBMITTED, settings_of, writer_of
from tests.support.clock import SettableClock
from tests.support.filings import termination_notice
from tests.support.matters import Matters, submit

WHY = {"reason": "by the employer's reply"}
VANTAA = {"municipality": "092", "affected": 50}
ESPOO = {"municipality": "049", "affected": 14}


def an_employer() -> dict[str, Any]:
    """Return an invented employer of its own, so that a test sees its notices alone."""
    random = Random(uuid4().int)
    while True:
        digits = [random.randrange(10) for _ in range(7)]
        rest = sum(digit * weight for digit, weight in zip(digits, (7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
        if rest != 1:
            check = 11 - rest if rest else 0
            return {"business_id": f"{''.join(map(str, digits))}-{check}", "domicile": "091", "regular_staff": 420}


def entry(ledger: dict[str, Any], authority: str) -> dict[str, Any]:
    return dict(next(one for one in ledger["entries"] if one["authority"] == authority))


def listed(callers: Callers, path: str, notice_id: str) -> list[dict[str, Any]]:
    """Read a list of the coordinators to its end, one item a page, and return what is about a notice."""
    found, cursor = [], ""
    while True:
        separator = "&" if "?" in path else "?"
        page = callers.coordinator.read(f"{path}{separator}limit=1{cursor}")
        found += page["items"]
        if page["next"] is None:
            return [one for one in found if one["notice_id"] == notice_id]
        cursor = f"&cursor={page['next']}"


def acts(callers: Callers, notice_id: str) -> list[tuple[str, str | None]]:
    return [(one["act"], one["reason"]) for one in callers.coordinator.read(f"/v1/notices/{notice_id}/acts")["items"]]


def is_refused(answer: httpx.Response, status: int, code: str) -> bool:
    return bool(problem(answer, status, code))


def test_a_declined_part_is_insisted_on_declined_anew_and_released(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)
    path, espoo = f"/v1/notices/{notice_id}/authorities/espoo", callers.officer["espoo"]
    assert is_refused(callers.coordinator.post(f"{path}/insistence", json=WHY), 409, "not-declined")
    espoo.send(f"/v1/cases/{notice_id}/decline", {"reason": "no_site_here"})
    wait_for(lambda: listed(callers, "/v1/declined?authority=espoo", notice_id), "the declined part")
    assert listed(callers, "/v1/declined?authority=vantaa", notice_id) == []
    assert espoo.get("/v1/declined").status_code == 404  # a coordinators' list, at the joint office alone
    asked = callers.coordinator.send(f"{path}/insistence", WHY)
    assert entry(asked, "espoo")["standing"] == "store"
    case = matters.wait_case("espoo", notice_id, awaits_acknowledgement=True, asked_because="insisted")
    assert (case["asked_reason"], case["declined_at"]) == (WHY["reason"], None)
    espoo.send(f"/v1/cases/{notice_id}/decline", {"reason": "other"})
    (again,) = wait_for(lambda: listed(callers, "/v1/declined", notice_id), "the part declined anew")
    assert (again["decline_reason"], again["asked_because"]) == ("other", "insisted")
    callers.coordinator.send(f"{path}/release", WHY)
    matters.wait_case("espoo", notice_id, state="released")
    assert entry(matters.complete(notice_id, version=3), "espoo")["standing"] == "finished"
    assert listed(callers, "/v1/declined", notice_id) == []
    assert acts(callers, notice_id) == [("insisted", WHY["reason"]), ("authority_released", WHY["reason"])]


def test_a_revision_that_changes_its_numbers_asks_a_city_again_and_no_other(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file(sites=[VANTAA, ESPOO])["notice_id"]
    matters.complete(notice_id)
    for city in ("vantaa", "espoo"):
        callers.officer[city].send(f"/v1/cases/{notice_id}/acknowledgement")
    wait_for(
        lambda: matters.states(notice_id)["vantaa"] == matters.states(notice_id)["espoo"] == "acknowledged", "both"
    )
    changed = proposal_json(sites=[VANTAA, ESPOO | {"affected": 15}])
    callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": 1, "filing": changed})
    case = matters.wait_case("espoo", notice_id, awaits_acknowledgement=True, revision=2)
    assert (case["asked_because"], case["acknowledged_revision"], case["acknowledged_at"]) == ("revised", 1, None)
    assert matters.wait_case("vantaa", notice_id, revision=2)["awaits_acknowledgement"] is False
    ledger = matters.complete(notice_id, version=2)
    espoo = entry(ledger, "espoo")
    assert (espoo["standing"], espoo["acknowledged_revision"], espoo["revision_asked"]) == ("officer", 1, 2)
    assert entry(ledger, "vantaa")["standing"] == "handling"
    callers.officer["espoo"].send(f"/v1/cases/{notice_id}/acknowledgement")
    wait_for(lambda: entry(matters.ledger(notice_id), "espoo")["acknowledged_revision"] == 2, "revision 2 acknowledged")
    assert matters.states(notice_id)["espoo"] == "acknowledged"


def test_an_unrouted_place_is_dismissed_and_put_back(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file(sites=[{"municipality": "998"}])["notice_id"]
    (place,) = listed(callers, "/v1/unrouted", notice_id)
    body = WHY | {"kind": place["kind"], "municipality": "998"}
    routing = callers.coordinator.send(f"/v1/notices/{notice_id}/unrouted/dismissal", body)
    assert routing["unrouted"] == []
    assert listed(callers, "/v1/unrouted", notice_id) == []
    revised = proposal_json(sites=[{"municipality": "998"}], language="sv")
    callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": 1, "filing": revised})
    assert listed(callers, "/v1/unrouted", notice_id) == []
    callers.coordinator.send(f"/v1/notices/{notice_id}/unrouted/reopening", body)
    assert len(listed(callers, "/v1/unrouted", notice_id)) == 1
    assert [act for act, _ in acts(callers, notice_id)] == ["place_dismissed", "place_restored"]
    # A place that leaves with a revision and comes back with the next waits again.
    path = f"/v1/notices/{notice_id}/revisions"
    callers.system.send(path, {"predecessor": 2, "filing": proposal_json()})
    assert listed(callers, "/v1/unrouted", notice_id) == []
    callers.system.send(path, {"predecessor": 3, "filing": revised})
    assert len(listed(callers, "/v1/unrouted", notice_id)) == 1


def test_what_was_withdrawn_by_mistake_is_reopened_and_acknowledged_again(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)
    callers.officer["vantaa"].send(f"/v1/cases/{notice_id}/acknowledgement")
    wait_for(lambda: matters.states(notice_id)["vantaa"] == "acknowledged", "Vantaa's acknowledgement")
    callers.system.send(f"/v1/notices/{notice_id}/withdrawal")
    matters.wait_case("vantaa", notice_id, state="withdrawn")
    reopened = callers.coordinator.send(f"/v1/notices/{notice_id}/reopening", WHY)
    assert (reopened["state"], reopened["version"]) == ("open", 3)
    case = matters.wait_case("vantaa", notice_id, state="open")
    assert (case["awaits_acknowledgement"], case["asked_reason"]) == (True, WHY["reason"])
    callers.officer["vantaa"].send(f"/v1/cases/{notice_id}/acknowledgement")
    wait_for(lambda: matters.states(notice_id)["vantaa"] == "acknowledged", "Vantaa's acknowledgement again")
    assert is_refused(callers.coordinator.post(f"/v1/notices/{notice_id}/reopening", json=WHY), 409, "already-open")


def test_two_notices_are_merged_and_both_ids_lead_to_one_until_they_are_unmerged(
    callers: Callers, matters: Matters, stack: Stack
) -> None:
    employer, submitted = an_employer(), str(uuid4())
    filing = proposal_json(employer=employer, sites=[ESPOO])
    body = {"type": SUBMITTED, "notice_id": submitted, "revision": 1, "filing": filing}
    submit(stack.kafka.bootstrap, (submitted, SUBMITTED, body, str(uuid4())))
    first = wait_for(lambda: callers.coordinator.get(f"/v1/notices/{submitted}").is_success, "the submitted notice")
    assert first
    kept = matters.file(employer=employer, sites=[VANTAA])["notice_id"]
    for notice_id in (kept, submitted):
        matters.complete(notice_id)
    (pair,) = listed(callers, "/v1/suggestions/merging", kept)
    assert pair["other_id"] == submitted
    callers.coordinator.send(f"/v1/notices/{kept}/merging", WHY | {"notice_id": submitted})
    assert listed(callers, "/v1/suggestions/merging", kept) == []
    assert callers.coordinator.read(f"/v1/notices/{submitted}")["notice_id"] == kept
    case = matters.wait_case("helsinki", submitted, state="merged")
    assert (case["merged_into"], case["awaits_acknowledgement"]) == (kept, False)
    matters.wait_case("espoo", kept, state="open")
    ledger = matters.complete(submitted, version=2)
    assert [one["authority"] for one in ledger["entries"]] == ["espoo", "helsinki", "vantaa"]
    assert ledger["earliest_receipt"] < callers.coordinator.read(f"/v1/notices/{kept}")["arrived_at"]
    (related,) = callers.coordinator.read(f"/v1/notices/{kept}/matter")["related"]
    assert (related["notice_id"], related["relation"]) == (submitted, "merged")
    # Its filer knows nothing of the other: the next revision of the absorbed notice is the next one of both.
    body |= {"revision": 2, "filing": filing | {"language": "sv"}}
    submit(stack.kafka.bootstrap, (submitted, SUBMITTED, body, str(uuid4())))
    wait_for(lambda: callers.coordinator.read(f"/v1/notices/{kept}")["revision"] == 2, "the revision of both")
    callers.coordinator.send(f"/v1/notices/{kept}/unmerging", WHY | {"notice_id": submitted})
    back = callers.coordinator.read(f"/v1/notices/{submitted}")
    assert (back["notice_id"], back["state"], back["revision"]) == (submitted, "open", 2)
    case = matters.wait_case("helsinki", submitted, state="open")
    assert (case["merged_into"], case["asked_because"], case["awaits_acknowledgement"]) == (None, "unmerged", True)
    matters.complete(submitted, version=4)
    assert [act for act, _ in acts(callers, kept)] == ["merged", "unmerged"]
    callers.coordinator.send(f"/v1/notices/{kept}/separateness", WHY | {"notice_id": submitted})
    assert listed(callers, "/v1/suggestions/merging", kept) == []


def test_a_notice_of_terminations_is_linked_to_its_proposal_and_one_outcome_closes_both(
    callers: Callers, matters: Matters
) -> None:
    employer = an_employer()
    proposal_id = matters.file(employer=employer)["notice_id"]

    def terminated(**changes: Any) -> str:
        filing = termination_notice(30, employer=employer, **changes).model_dump(mode="json", exclude_none=True)
        return str(callers.system.send("/v1/notices", {"filing": filing})["notice_id"])

    said, unsaid = terminated(relates_to=proposal_id), terminated()
    assert listed(callers, "/v1/suggestions/linking", said) == []
    (pair,) = listed(callers, "/v1/suggestions/linking", unsaid)
    assert pair["other_id"] == proposal_id
    linked = callers.coordinator.send(f"/v1/notices/{unsaid}/link", WHY | {"notice_id": proposal_id})
    assert linked["relates_to"] == proposal_id
    callers.coordinator.send(f"/v1/notices/{unsaid}/unlinking", WHY)
    related = callers.coordinator.read(f"/v1/notices/{proposal_id}/matter")["related"]
    assert [(one["notice_id"], one["relation"]) for one in related] == [(said, "termination_notice")]
    matters.complete(proposal_id)
    callers.coordinator.send(f"/v1/notices/{proposal_id}/closing", {"outcome": "terminations"})
    for notice_id, state in ((proposal_id, "closed"), (said, "closed"), (unsaid, "open")):
        assert callers.coordinator.read(f"/v1/notices/{notice_id}")["state"] == state
    matters.wait_case("vantaa", said, state="closed")
    assert acts(callers, said) == [("closed", None)]


def test_what_is_overdue_stands_on_the_coordinators_list_until_it_comes_or_ends(
    callers: Callers, matters: Matters, stack: Stack
) -> None:
    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)

    async def escalate() -> None:
        database = writer_of(settings_of(stack, "pks"), SettableClock(SystemClock().now() + timedelta(days=10)))
        office = JointOffice(Rulebook(data.authorities(), data.rules()), shipped=data.authorities())
        for _ in range(40):
            async with database.transaction(uuid4()) as tx:
                if not await office.escalate(tx):
                    break
        await database.engine.dispose()

    asyncio.run(escalate())
    late = listed(callers, "/v1/overdue?awaiting=acknowledged&acknowledged=false", notice_id)
    assert sorted(one["authority"] for one in late) == ["espoo", "helsinki", "vantaa"]
    (espoo,) = (one for one in late if one["authority"] == "espoo")
    noted = callers.coordinator.send(
        f"/v1/overdue/{espoo['overdue_id']}/acknowledgement", {"note": "called, sick leave"}
    )
    assert noted["note"] == "called, sick leave"
    (seen,) = listed(callers, "/v1/overdue?acknowledged=true&authority=espoo", notice_id)
    assert seen["acknowledged_at"] is not None
    assert ("overdue_noted", "called, sick leave") in acts(callers, notice_id)
    callers.officer["espoo"].send(f"/v1/cases/{notice_id}/acknowledgement")
    wait_for(lambda: not listed(callers, "/v1/overdue?authority=espoo", notice_id), "Espoo off the list")
    callers.coordinator.send(f"/v1/notices/{notice_id}/authorities/vantaa/release", WHY)
    assert [one["authority"] for one in listed(callers, "/v1/overdue", notice_id)] == ["helsinki"]
    callers.system.send(f"/v1/notices/{notice_id}/withdrawal")
    assert listed(callers, "/v1/overdue", notice_id) == []
    assert {one["overdue"] for one in matters.ledger(notice_id)["entries"]} == {None}
