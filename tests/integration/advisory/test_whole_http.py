"""Calls, drafts, lists and what everyone may read, through the running offices."""

from typing import Any

import httpx
import pytest

from deploy.local.client import Callers, wait_for
from deploy.local.stack import CITIES, JOINT, Stack
from tests.support.advisory import Advisory

TEXTS = {one: {"title": f"Otsikko {one}", "body": f"Sisältö {one}"} for one in ("fi", "sv", "en")}


def test_a_call_is_logged_by_one_request_at_the_joint_office_and_in_a_city(advisory: Advisory) -> None:
    call = {"topic": "recruitment", "language": "sv", "minutes": 4, "text": "Som vi talade om"}
    person = {"person": {"phone": "040 1234567", "email": "esa@firma.example"}}
    logged = advisory.callers.of(JOINT, "vantaa", "officer").send("/v1/calls", call | person)
    assert (logged["state"], logged["contact"]["is_live_call"]) == ("answered", True)
    advisory.wait_in_city("vantaa", logged["contact_id"], state="answered")
    own = advisory.callers.officer["espoo"].send("/v1/calls", call | person)
    assert own["state"] == "answered"
    wait_for(lambda: advisory.joint.get(f"/v1/contacts/{own['contact_id']}").is_success, "the call at the joint office")
    advisory.wait_joint(own["contact_id"], state="answered")
    for caller in (advisory.joint, advisory.callers.officer["espoo"]):
        queued = caller.read("/v1/letters?state=queued&kind=answer")["items"]
        assert queued
        assert "esa@firma.example" not in str(queued)
    late = advisory.joint.read("/v1/late-contacts?limit=1")
    assert len(late["items"]) <= 1
    reached = {one["channel"]: one for one in advisory.joint.read("/v1/response-times")}
    assert reached["phone"]["received"] >= 2
    assert advisory.joint.read("/v1/response-times/phone")[0]["certainty"] == "unverified"


def test_a_contact_is_reopened_in_its_officers_city_when_the_employer_writes_again(advisory: Advisory) -> None:
    first = advisory.bring()["contact_id"]
    city = advisory.wait_joint(first, state="assigned")["acting_authority"]
    advisory.wait_in_city(city, first, state="assigned")
    advisory.callers.officer[city].send(f"/v1/contacts/{first}/answer", {})
    advisory.wait_joint(first, state="answered")
    second = advisory.bring(channel="email")
    assert (second["state"], second["joined_into"]) == ("closed", first)
    again = advisory.wait_in_city(city, first, state="assigned")
    assert again["joined"] == [second["contact_id"]]
    assert again["reopened_at"]
    found = advisory.callers.officer[city].read("/v1/contacts?reopened=true&topic=recruitment&limit=200")["items"]
    assert first in {one["contact_id"] for one in found}


COMPLETED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "change_security": ("filing", "notices", {"kind": "negotiation_proposal"}),
    "placement": (
        "vacancy",
        "vacancies",
        {"title": "Kokki", "occupation": {"scheme": "ISCO-08", "version": "2008", "code": "5120"}},
    ),
    "training": (
        "proposal",
        "proposals",
        {
            "kind": "rekry",
            "title": {"fi": "Kokki", "sv": "Kock", "en": "Cook"},
            "seats": 10,
            "training_days": 60,
            "price_eur": "1000",
            "starts_on": "2027-03-01",
        },
    ),
}
"""What an officer adds to a service's draft: under which name, what it becomes, and the values."""


def drafted(advisory: Advisory, service: str) -> tuple[str, str, str]:
    """Hand a contact over to a service; return it, whose it was, and the draft that the service has made."""
    contact_id = advisory.bring(topic="training")["contact_id"]
    city = advisory.wait_joint(contact_id, state="assigned")["acting_authority"]
    advisory.wait_in_city(city, contact_id, state="assigned")
    target = {"to_service": service, "reason": "työnantajan toive"}
    advisory.callers.officer[city].send(f"/v1/contacts/{contact_id}/hand-overs", target)

    def draft() -> str | None:
        found = [one["draft_id"] for one in advisory.at_joint(contact_id)["hand_overs"] if one["draft_id"]]
        return str(found[0]) if found else None

    return contact_id, city, wait_for(draft, "the draft", 60)


@pytest.mark.parametrize("service", COMPLETED)
def test_a_draft_is_completed_into_the_services_own_matter(advisory: Advisory, stack: Stack, service: str) -> None:
    name, place, added = COMPLETED[service]
    contact_id, _, draft_id = drafted(advisory, service)
    desk = Callers(stack, service).coordinator
    draft = desk.read(f"/v1/drafts/{draft_id}")
    assert (draft["contact_id"], draft["reason"], draft["state"]) == (contact_id, "työnantajan toive", "open")
    assert advisory.business_id in str(draft["content"])
    asked = {"purpose": "täydentää luonnoksen", "service": service}
    assert advisory.joint.post(f"/v1/contacts/{contact_id}/caller-queries", json=asked).status_code == 201
    done = desk.send(f"/v1/drafts/{draft_id}/completion", {name: draft["content"][name] | added})
    assert desk.get(f"/v1/{place}/{done['matter_id']}").is_success
    handed = advisory.wait_joint(contact_id, state="handed_over")["hand_overs"][0]
    assert (handed["draft_id"], handed["matter_id"]) == (draft_id, done["matter_id"])
    assert desk.post(f"/v1/drafts/{draft_id}/discard", json={"reason": "liian myöhään"}).status_code == 409


@pytest.mark.parametrize("service", COMPLETED)
def test_a_draft_that_is_discarded_gives_the_contact_back_even_once_accepted(
    advisory: Advisory, stack: Stack, service: str
) -> None:
    contact_id, city, draft_id = drafted(advisory, service)
    desk = Callers(stack, service).coordinator
    hand_over_id = desk.read(f"/v1/drafts/{draft_id}")["hand_over_id"]
    desk.send(f"/v1/hand-overs/{hand_over_id}/acceptance", {})
    advisory.wait_joint(contact_id, state="handed_over")
    for _ in range(2):
        desk.send(f"/v1/drafts/{draft_id}/discard", {"reason": "väärä palvelu"})
    advisory.wait_joint(contact_id, state="assigned", reason=f"given back by {service}: väärä palvelu")
    advisory.wait_in_city(city, contact_id, state="assigned")


def test_announcements_are_read_without_a_token_and_lists_are_joined_by_confirmation(
    advisory: Advisory, stack: Stack
) -> None:
    url = stack.url("advisory", JOINT)
    group = advisory.callers.of(JOINT, "vantaa", "coordination_group")
    told = {"texts": TEXTS, "audiences": ["stakeholders"], "publish_on": "2026-11-02"}
    shown = group.send("/v1/announcements", told)["announcement_id"]
    hidden = group.send("/v1/announcements", told | {"publish_on": "2126-11-02"})["announcement_id"]
    feed = httpx.get(f"{url}/v1/feeds/stakeholders/sv.json")
    assert feed.headers["content-type"].startswith("application/feed+json")
    found = {one["id"] for one in feed.json()["items"]}
    assert f"urn:uuid:{shown}" in found
    assert f"urn:uuid:{hidden}" not in found
    atom = httpx.get(f"{url}/v1/feeds/stakeholders/fi.atom")
    assert "Otsikko fi" in atom.text
    assert atom.headers["content-type"].startswith("application/atom+xml")
    listed = group.read("/v1/announcements?audience=stakeholders&limit=1")
    assert [one["announcement_id"] for one in listed["items"]] == [hidden]
    asked = {"address": f"{advisory.unique}@firma.example", "audience": "stakeholders", "language": "sv"}
    assert httpx.post(f"{url}/v1/subscriptions", json=asked).status_code == 202
    assert httpx.post(f"{url}/v1/subscriptions", json=asked | {"address": "a@b\nBcc: c"}).status_code == 422
    assert group.read("/v1/letters?kind=confirmation")["items"]
    missing = f"{url}/v1/subscriptions/{shown}"
    assert httpx.get(f"{missing}/confirmation").status_code == 404
    assert httpx.post(f"{missing}/confirmation").status_code == 404
    assert httpx.post(f"{missing}/removal", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    wait_for(
        lambda: (
            {one["office"] for one in group.read(f"/v1/announcements/{shown}")["receipts"] if one["stored_at"]}
            == set(CITIES)
        ),
        "three stores",
    )
    late = group.read("/v1/late-receipts?limit=200")["items"]
    assert {one["office"] for one in late if one["announcement_id"] == shown} == set(CITIES)
    assert not [one for one in late if one["announcement_id"] == hidden]
    early = advisory.callers.officer["espoo"].post(f"/v1/announcements/{hidden}/publication", json={})
    assert early.status_code == 409
