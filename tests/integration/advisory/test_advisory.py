"""Contacts, hand-overs, timelines, guidance and reviews through all offices, on the real broker and databases."""

import asyncio
import json
import mailbox
import smtplib
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.client import Callers, wait_for
from deploy.local.observing import records_on
from deploy.local.stack import CITIES, JOINT, Stack
from shared.topics import expanded
from tests.support.advisory import Advisory
from tests.support.filings import TEST_IDENTITY_CODE, termination_notice


def problem(answer: httpx.Response, status: int, slug: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"urn:problem:{slug}"


# -- contacts


def test_a_contact_is_given_to_an_officer_with_the_reason_and_reaches_the_officers_city(advisory: Advisory) -> None:
    found = advisory.bring()
    assert found["state"] == "assigned"
    assert "is agreed; the officer advises on recruitment in fi" in found["reason"]
    assert found["competent_authority"] == "vantaa"
    there = advisory.wait_in_city(found["acting_authority"], found["contact_id"], state="assigned")
    assert (there["officer"], there["reason"]) == (found["officer"], found["reason"])


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"business_id": "2077474-1"}, "wrong-business-id"),
        ({"person": {"text": f"tunnukseni {TEST_IDENTITY_CODE}"}}, "personal-identity-code"),
        ({"channel": "pigeon"}, "invalid-request"),
    ],
)
def test_a_contact_that_is_none_is_refused(advisory: Advisory, change: dict[str, Any], slug: str) -> None:
    answer = advisory.portal.post("/v1/contacts", json={"channel": "form"} | change)
    problem(answer, 422, slug)
    assert TEST_IDENTITY_CODE not in answer.text


def test_a_contact_with_a_key_is_brought_once(advisory: Advisory) -> None:
    body = {"channel": "form", "business_id": advisory.business_id, "received_at": "2026-11-20T08:00:00Z"}
    first, again = (
        advisory.portal.post("/v1/contacts", json=body, headers={"Idempotency-Key": advisory.unique}) for _ in "ab"
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert first.headers["Location"] == again.headers["Location"] == f"/v1/contacts/{first.json()['contact_id']}"
    assert again.headers["Idempotent-Replayed"] == "true"
    other = advisory.portal.post(
        "/v1/contacts", json=body | {"topic": "training"}, headers={"Idempotency-Key": advisory.unique}
    )
    problem(other, 422, "idempotency-key-reused")
    stranger = Callers(advisory.stack, "advisory").system
    problem(stranger.post("/v1/contacts", json=body), 403, "scope-needed")


def test_the_same_employer_by_form_and_call_back_is_one_matter_with_a_reason(advisory: Advisory) -> None:
    first = advisory.bring()
    second = advisory.bring(channel="call_back")
    assert (second["state"], second["joined_into"]) == ("closed", first["contact_id"])
    assert second["reason"].startswith("the same employer by form and call_back")
    acts = [act["act"] for act in advisory.at_joint(first["contact_id"])["acts"]]
    assert acts[-2:] == ["joined by another", "assigned"]  # whoever has it is told
    other = advisory.bring(topic="training")
    assert other["joined_into"] is None


def test_who_called_is_told_to_the_authorities_concerned_by_a_logged_query(advisory: Advisory) -> None:
    person = {"name": "Esa Esimerkki", "phone": "+358 40 000 0000"}
    contact_id = advisory.bring(municipality="235", person=person)["contact_id"]
    espoo = advisory.callers.of(JOINT, "espoo", "officer")
    advisory.wait_joint(contact_id, competent_authority="espoo")
    path = f"/v1/contacts/{contact_id}/caller-queries"
    assert espoo.send(path, {"purpose": "takaisinsoitto"})["name"] == "Esa Esimerkki"
    acting = advisory.at_joint(contact_id)["acting_authority"]
    other = next(city for city in CITIES if city not in {acting, "espoo"})
    problem(
        advisory.callers.of(JOINT, other, "officer").post(path, json={"purpose": "uteliaisuus"}), 403, "not-concerned"
    )
    assert [(one["authority"], one["answered"]) for one in espoo.read(path)["items"]] == [
        ("espoo", True),
        (other, False),
    ]


def test_a_city_takes_its_own_employers_contact_itself(advisory: Advisory, stack: Stack) -> None:
    found = advisory.bring(municipality="092")
    vantaa = advisory.callers.of(JOINT, "vantaa", "officer")
    taken = vantaa.send(f"/v1/contacts/{found['contact_id']}/taking")
    assert (taken["acting_authority"], taken["reason"]) == ("vantaa", "taken by vantaa, whose employer it is")
    if found["acting_authority"] != "vantaa":
        advisory.wait_in_city(found["acting_authority"], found["contact_id"], state="handed_over")
    advisory.wait_in_city("vantaa", found["contact_id"], state="assigned", officer=taken["officer"])
    helsinki = advisory.callers.of(JOINT, "helsinki", "officer")
    problem(helsinki.post(f"/v1/contacts/{found['contact_id']}/taking"), 409, "other-authority")


def test_a_city_takes_contacts_in_with_the_joint_office_down_and_they_are_counted_later(
    advisory: Advisory, stack: Stack
) -> None:
    joint = stack.child("advisory", JOINT)
    joint.stop()
    try:
        told = {"channel": "call_back", "municipality": "049", "person": {"phone": "0400"}}
        own = advisory.callers.officer["espoo"].send("/v1/contacts", told)
        assert own["person"]["phone"] == "0400"
        advisory.answer("espoo", own["contact_id"], minutes=5)
    finally:
        joint.start()
        stack.wait_ready("advisory", JOINT)

    def counted() -> bool:
        answer = advisory.joint.get(f"/v1/contacts/{own['contact_id']}")
        return answer.is_success and answer.json()["state"] == "answered"

    wait_for(counted, "the contact at the joint office", 60)
    assert advisory.at_joint(own["contact_id"])["acting_authority"] == "espoo"


def test_a_contact_without_anybody_for_it_waits_with_the_reason_until_somebody_is_listed(advisory: Advisory) -> None:
    for city in CITIES:
        for number in range(40):
            advisory.list_adviser(city, f"{city}-{number:02}", languages=["fi", "sv"])

    def nobody() -> dict[str, Any] | None:
        found = advisory.bring(language="en", business_id=None)
        return found if found["state"] == "new" else None

    waiting = wait_for(nobody, "English to be forgotten", 60)
    assert waiting["reason"] == "nobody advises on recruitment in en"
    for city in CITIES:
        for number in range(40):
            advisory.list_adviser(city, f"{city}-{number:02}")
    advisory.wait_joint(waiting["contact_id"], state="assigned")


def test_an_act_in_a_city_answers_the_contact_as_it_now_is_and_conflicts_when_it_is_too_late(
    advisory: Advisory,
) -> None:
    officer = advisory.callers.officer["espoo"]
    path = f"/v1/contacts/{officer.send('/v1/contacts', {'channel': 'form'})['contact_id']}"
    assert officer.send(f"{path}/answer", {"minutes": 3})["state"] == "answered"
    problem(officer.post(f"{path}/hand-overs", json={"to_service": "training", "reason": "late"}), 409, "invalid-state")
    assert [officer.send(f"{path}/closing")["state"] for _ in range(2)] == ["closed", "closed"]
    problem(officer.post(f"{path}/answer", json={}), 409, "invalid-state")
    problem(officer.post(f"/v1/contacts/{uuid4()}/closing"), 404, "not-found")
    problem(officer.post("/v1/contacts", json={"channel": "form", "business_id": "1"}), 422, "wrong-business-id")
    both = {"to_authority": "vantaa", "to_service": "training", "reason": "both"}
    problem(officer.post(f"{path}/hand-overs", json=both), 422, "either-authority-or-service")


def test_contacts_are_read_page_by_page_at_the_joint_office_and_in_a_city(advisory: Advisory) -> None:
    officer = advisory.callers.officer["espoo"]
    for _ in range(2):
        officer.send("/v1/contacts", {"channel": "form"})
        advisory.bring(business_id=None)
    for caller in (advisory.joint, officer):
        first = caller.read("/v1/contacts?limit=1")
        second = caller.read(f"/v1/contacts?limit=1&cursor={first['next']}")
        both = caller.read("/v1/contacts?limit=2")["items"]
        assert [*first["items"], *second["items"]] == both
        assert len({one["contact_id"] for one in both}) == 2
        problem(caller.get("/v1/contacts?cursor=WyJhIl0"), 400, "invalid-cursor")


def test_the_shares_of_the_year_follow_the_agreement(advisory: Advisory) -> None:
    for _ in range(40):
        advisory.bring(business_id=None)
    shares = {one["authority"]: one for one in advisory.joint.read("/v1/shares")}
    assert {name: one["agreed_share"] for name, one in shares.items()} == {
        "helsinki": 0.5,
        "espoo": 0.25,
        "vantaa": 0.25,
    }
    # A city's own takings are in it too: within a few contacts of what is agreed.
    total = sum(one["contacts"] for one in shares.values())
    assert all(abs(one["contacts"] - one["agreed_share"] * total) < 4 for one in shares.values())


async def _send(stack: Stack, topic: str, *bodies: dict[str, Any]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka.bootstrap)
    await producer.start()
    for body in bodies:
        headers = [
            ("ce_id", uuid4().hex.encode()),
            ("ce_type", body["type"].encode()),
            ("ce_source", b"/systems/portal"),
        ]
        key = str(body.get("contact_id") or body.get("hand_over_id")).encode()
        await producer.send_and_wait(topic, json.dumps(body).encode(), key=key, headers=headers)
    await producer.stop()


def test_another_systems_contact_comes_in_by_the_topic_and_a_bad_one_is_parked(
    advisory: Advisory, stack: Stack
) -> None:
    good, bad = str(uuid4()), str(uuid4())
    kind = "advisory.contact-submitted.v1"
    at = datetime.now(UTC).isoformat()
    told = {"channel": "form", "received_at": at, "business_id": advisory.business_id}
    asyncio.run(
        _send(
            stack,
            "inbound.contacts.v1",
            {"type": kind, "contact_id": good, "contact": told, "source_reference": "portal-1"},
            {"type": kind, "contact_id": bad, "contact": told | {"business_id": "1"}},
        )
    )
    wait_for(lambda: advisory.joint.get(f"/v1/contacts/{good}").is_success, "the contact")
    operator = advisory.callers.operator
    parked = wait_for(lambda: operator.read("/v1/parked?state=parked")["items"], "the parked record")
    assert parked[0]["code"] == "wrong-business-id"
    operator.send(f"/v1/parked/{parked[0]['id']}/discard", {"reason": "the sender was told"})


# -- e-mail


def mail(subject: str, body: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "esa@example.org"
    message["To"] = "radgivning@example.org"
    message["Subject"] = subject
    message["Message-ID"] = f"<{uuid4()}@example.org>"
    message.set_content(body)
    return message


def test_an_e_mail_is_a_contact_once_and_one_with_an_identity_code_is_refused(advisory: Advisory, stack: Stack) -> None:
    port = int(stack.settings["SMTP_PORT"])
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
        message = mail("Lönesubvention", f"Vårt FO-nummer är {advisory.business_id}.")
        for _ in range(2):
            server.send_message(message)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            server.send_message(mail("Hei", f"Tunnukseni on {TEST_IDENTITY_CODE}"))
    assert refused.value.smtp_code == 554
    assert TEST_IDENTITY_CODE.encode() not in refused.value.smtp_error
    found = [
        one
        for one in advisory.joint.read("/v1/contacts?limit=200")["items"]
        if one["contact"]["business_id"] == advisory.business_id
    ]
    assert [(one["contact"]["channel"], one["contact"]["topic"], one["contact"]["language"]) for one in found] == [
        ("email", "wage_subsidy", "sv")
    ]


def test_an_e_mail_that_cannot_be_recorded_stays_with_the_sender(advisory: Advisory, stack: Stack) -> None:
    port = int(stack.settings["SMTP_PORT"])
    message = mail("Utbildning", f"FO-nummer {advisory.business_id}")
    stack.databases[JOINT].kill()
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as server, pytest.raises(smtplib.SMTPDataError) as refused:
            server.send_message(message)
        assert refused.value.smtp_code == 451
    finally:
        stack.databases[JOINT].start()
    for service in stack.services:
        stack.wait_ready(service, JOINT)
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
        server.send_message(message)
    found = [
        one
        for one in advisory.joint.read("/v1/contacts?limit=200")["items"]
        if one["contact"]["business_id"] == advisory.business_id
    ]
    assert len(found) == 1


def test_a_mailbox_file_is_taken_in_with_a_report(advisory: Advisory, stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "neuvonta.mbox"
    box = mailbox.mbox(file)
    for message in (mail("Rekrytering", "Vi söker kockar"), mail("Hei", TEST_IDENTITY_CODE)):
        box.add(message)
    box.close()
    command = [sys.executable, "-m", "services.advisory", "import-mailbox", str(file)]
    ran = subprocess.run(command, env=stack.environment(JOINT), capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "1 personal-identity-code, 1 taken"


# -- hand-overs


def handed(advisory: Advisory, **target: str) -> tuple[str, str, str]:
    """Bring a contact and hand it over; return it, whose it was, and the hand-over."""
    found = advisory.bring()
    acting, contact_id = found["acting_authority"], found["contact_id"]
    advisory.wait_in_city(acting, contact_id, state="assigned")
    if "to_authority" in target:
        target = {"to_authority": next(city for city in CITIES if city != acting)}
    told = {"reason": "työnantajan toive"} | target
    hand_over_id = advisory.callers.officer[acting].send(f"/v1/contacts/{contact_id}/hand-overs", told)["hand_over_id"]
    return contact_id, acting, hand_over_id


def hand_over_of(advisory: Advisory, contact_id: str, state: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = advisory.at_joint(contact_id)["hand_overs"]
        return found[0] if found and found[0]["state"] == state else None

    return wait_for(look, f"a hand-over that is {state}")


def test_a_hand_over_to_another_authority_is_acknowledged_and_stays_where_it_is_until_then(advisory: Advisory) -> None:
    contact_id, acting, _ = handed(advisory, to_authority="another")
    target = hand_over_of(advisory, contact_id, "asked")["to_authority"]
    there = advisory.wait_in_city(target, contact_id, is_acknowledged=False)
    assert advisory.at_joint(contact_id)["acting_authority"] == acting
    advisory.callers.officer[target].send(f"/v1/contacts/{contact_id}/acknowledgement")
    advisory.wait_joint(contact_id, acting_authority=target, state="assigned")
    advisory.wait_in_city(acting, contact_id, state="handed_over")
    advisory.wait_in_city(target, contact_id, is_acknowledged=True)
    assert there["reason"] == f"handed over by {acting}: työnantajan toive"
    advisory.answer(target, contact_id)
    advisory.wait_joint(contact_id, state="answered")


def test_a_hand_over_that_nobody_acknowledges_is_told_to_both_sides(advisory: Advisory) -> None:
    contact_id, acting, _ = handed(advisory, to_authority="another")
    overdue = wait_for(
        lambda: [one for one in advisory.at_joint(contact_id)["hand_overs"] if one["is_overdue"]], "the time-out", 60
    )
    advisory.wait_in_city(acting, contact_id, is_overdue=True, state="assigned")
    advisory.wait_in_city(overdue[0]["to_authority"], contact_id, is_overdue=True)


@pytest.mark.parametrize("service", ["change_security", "placement", "training"])
def test_a_contact_becomes_another_services_matter_by_event_and_acknowledgement(
    advisory: Advisory, stack: Stack, service: str
) -> None:
    contact_id, acting, hand_over_id = handed(advisory, to_service=service)
    hand_over_of(advisory, contact_id, "stored")
    desk = Callers(stack, service).coordinator
    stored = desk.read("/v1/hand-overs?state=stored&limit=200")["items"]
    mine = [one for one in stored if one["hand_over_id"] == hand_over_id]
    assert (mine[0]["business_id"], mine[0]["from_authority"]) == (advisory.business_id, acting)
    assert advisory.at_joint(contact_id)["state"] == "assigned"  # not yet accepted: still the officer's
    matter_id = str(uuid4())
    for _ in range(2):
        desk.send(f"/v1/hand-overs/{hand_over_id}/acceptance", {"matter_id": matter_id})
    problem(desk.post(f"/v1/hand-overs/{hand_over_id}/rejection", json={"reason": "myöhäistä"}), 409, "invalid-state")
    advisory.wait_joint(contact_id, state="handed_over")
    assert hand_over_of(advisory, contact_id, "accepted")["matter_id"] == matter_id
    advisory.wait_in_city(acting, contact_id, state="handed_over")


def test_a_rejected_hand_over_goes_back_with_the_reason(advisory: Advisory, stack: Stack) -> None:
    contact_id, acting, hand_over_id = handed(advisory, to_service="training")
    hand_over_of(advisory, contact_id, "stored")
    desk = Callers(stack, "training").coordinator
    desk.send(f"/v1/hand-overs/{hand_over_id}/rejection", {"reason": "koskee palkkatukea"})
    back = advisory.wait_in_city(
        acting, contact_id, state="assigned", reason="not taken by training: koskee palkkatukea"
    )
    assert back["state"] == "assigned"


def test_a_hand_over_waits_for_a_service_that_is_down(advisory: Advisory, stack: Stack) -> None:
    placement = stack.child("placement", JOINT)
    placement.stop()
    try:
        contact_id, _, _ = handed(advisory, to_service="placement")
        hand_over_of(advisory, contact_id, "asked")
    finally:
        placement.start()
        stack.wait_ready("placement", JOINT)
    hand_over_of(advisory, contact_id, "stored")


def test_nothing_falls_between_through_kills(advisory: Advisory, stack: Stack) -> None:
    """Contacts come and are answered while processes, a database and the broker are killed."""
    brought = []
    for number in range(24):
        answer = advisory.portal.post("/v1/contacts", json={"channel": "form", "business_id": None, "topic": "other"})
        if answer.is_success:
            brought.append(answer.json()["contact_id"])
        if number == 6:
            stack.child("advisory", "espoo").kill()
            stack.child("advisory", "espoo").start()
        if number == 12:
            stack.child("advisory", JOINT).kill()
            stack.child("advisory", JOINT).start()
            stack.wait_ready("advisory", JOINT)
        if number == 18:
            stack.databases["vantaa"].kill()
            stack.databases["vantaa"].start()
    stack.wait_ready("advisory", "espoo")
    for contact_id in brought:
        acting = advisory.wait_joint(contact_id, state="assigned")["acting_authority"]
        advisory.wait_in_city(acting, contact_id, state="assigned")
        advisory.answer(acting, contact_id)
    for contact_id in brought:
        advisory.wait_joint(contact_id, state="answered")
    assert len(brought) >= 22


# -- timeline, guidance, announcements, review


def timeline(advisory: Advisory, authority: str) -> dict[str, Any]:
    officer = advisory.callers.of(JOINT, authority, "officer")
    request_id = officer.send("/v1/timelines", {"business_id": advisory.business_id})["request_id"]

    def whole() -> dict[str, Any] | None:
        found = officer.read(f"/v1/timelines/{request_id}")
        return found if not found["missing_services"] else None

    return wait_for(whole, "every service's answer")


def test_a_business_id_that_is_not_valid_has_no_timeline(advisory: Advisory) -> None:
    answer = advisory.joint.post("/v1/timelines", json={"business_id": "2077474-1"})
    problem(answer, 422, "wrong-business-id")
    assert answer.json()["errors"] == [{"pointer": "/business_id", "code": "wrong-business-id"}]


def test_the_employers_timeline_shows_what_an_authority_may_see_and_why_the_rest_is_withheld(
    advisory: Advisory, stack: Stack
) -> None:
    contact = advisory.bring(municipality="092")
    filing = termination_notice(40).model_dump(mode="json")  # Vantaa's
    filing["employer"]["business_id"] = advisory.business_id
    change_security = Callers(stack, "change_security").system
    public = change_security.send("/v1/notices", {"filing": filing})["notice_id"]
    secret = change_security.send("/v1/notices", {"filing": filing | {"not_public": True}})["notice_id"]
    concerned = {
        row["authority"]
        for row in Callers(stack, "change_security").coordinator.read(f"/v1/notices/{public}/ledger")["entries"]
    }
    other = next((city for city in CITIES if city not in concerned), None)
    mine = timeline(advisory, "vantaa")
    seen = {(one["service"], one["matter_id"]) for one in mine["entries"]}
    assert {("advisory", contact["contact_id"]), ("change_security", public), ("change_security", secret)} <= seen
    assert other is not None
    theirs = timeline(advisory, other)
    assert not [one for one in theirs["entries"] if one["service"] == "change_security"]
    assert [one["reason"] for one in theirs["withheld"] if one["service"] == "change_security"] == [
        "it concerns other authorities"
    ]
    assert secret not in json.dumps(theirs)
    assert "not mentioned to others" in theirs["note"]


def test_a_timeline_names_the_service_that_has_not_answered(advisory: Advisory, stack: Stack) -> None:
    training = stack.child("training", JOINT)
    training.stop()
    try:
        officer = advisory.callers.of(JOINT, "espoo", "officer")
        request_id = officer.send("/v1/timelines", {"business_id": advisory.business_id})["request_id"]
        path = f"/v1/timelines/{request_id}"
        wait_for(lambda: officer.read(path)["missing_services"] == ["training"], "two answers")
        stranger = advisory.callers.of(JOINT, "vantaa", "officer")
        problem(stranger.get(path), 404, "not-found")
    finally:
        training.start()
        stack.wait_ready("training", JOINT)
    wait_for(lambda: officer.read(path)["missing_services"] == [], "the third answer", 60)


TEXTS = {lang: {"title": f"Palkkatuki {lang}", "body": "Ohje."} for lang in ("fi", "sv", "en")}


def test_guidance_is_approved_copied_to_each_city_and_what_an_employer_was_given_is_known(advisory: Advisory) -> None:
    article = {"topic": "wage_subsidy", "texts": TEXTS, "owner": "espoo", "review_by": "2026-06-01"}
    written = advisory.joint.send("/v1/guidance", article)
    path = f"/v1/guidance/{written['article_id']}"
    assert (written["version"], written["approved_on"], written["review_is_due"]) == (1, None, True)
    approval = {"approved_on": "2026-11-20"}
    problem(advisory.joint.post(f"{path}/versions/1/approval", json=approval), 403, "role-needed")
    group = advisory.callers.of(JOINT, "helsinki", "coordination_group")
    group.send(f"{path}/versions/1/approval", approval)
    second = advisory.joint.send(f"{path}/versions", article | {"review_by": "2027-06-01"})
    assert second["version"] == 2
    officer = advisory.callers.officer

    def in_city(city: str) -> list[int]:
        found = officer[city].read("/v1/guidance?topic=wage_subsidy")["items"]
        return [one["version"] for one in found if one["article_id"] == written["article_id"]]

    for city in CITIES:
        wait_for(lambda city=city: in_city(city) == [1], f"the article in {city}")  # type: ignore[misc]
    contact = advisory.bring(topic="wage_subsidy")
    advisory.wait_in_city(contact["acting_authority"], contact["contact_id"], state="assigned")
    given = [{"article_id": written["article_id"], "version": 1}]
    advisory.answer(contact["acting_authority"], contact["contact_id"], minutes=12, guidance=given)
    group.send(f"{path}/versions/2/approval", approval)
    for city in CITIES:
        wait_for(lambda city=city: in_city(city) == [2], f"the second version in {city}")  # type: ignore[misc]
    problem(group.post(f"{path}/versions/1/approval", json=approval), 409, "newer-version")
    found = wait_for(
        lambda: advisory.joint.read(f"/v1/employers/{advisory.business_id}/guidance")["items"], "what was given"
    )
    assert [(one["article_id"], one["version"]) for one in found] == [(written["article_id"], 1)]
    incomplete = article | {"texts": {"fi": TEXTS["fi"]}}
    problem(advisory.joint.post("/v1/guidance", json=incomplete), 422, "invalid-request")


def test_an_announcement_reaches_every_city_which_confirms_it_twice(advisory: Advisory, stack: Stack) -> None:
    told = {"texts": TEXTS, "audiences": ["employers", "providers"], "publish_on": "2026-11-02"}
    problem(advisory.joint.post("/v1/announcements", json=told), 403, "role-needed")
    group = advisory.callers.of(JOINT, "vantaa", "coordination_group")
    path = f"/v1/announcements/{group.send('/v1/announcements', told)['announcement_id']}"

    def receipts(name: str) -> set[str]:
        return {one["office"] for one in group.read(path)["receipts"] if one[name]}

    wait_for(lambda: receipts("stored_at") == set(CITIES), "three stores")
    assert receipts("published_at") == set()
    for _ in range(2):
        advisory.callers.officer["espoo"].send(f"{path}/publication")
    wait_for(lambda: receipts("published_at") == {"espoo"}, "the publication")


def test_the_review_compares_the_agreement_with_what_every_service_handled(advisory: Advisory, stack: Stack) -> None:
    contact = advisory.bring(topic="other")
    advisory.wait_in_city(contact["acting_authority"], contact["contact_id"], state="assigned")
    advisory.answer(contact["acting_authority"], contact["contact_id"])
    advisory.wait_joint(contact["contact_id"], state="answered")
    asked = {"since": "2026-01-01", "until": "2026-12-31"}
    request_id = advisory.joint.send("/v1/reviews", asked)["request_id"]
    path = f"/v1/reviews/{request_id}"
    review = wait_for(
        lambda: found if not (found := advisory.joint.read(path))["missing_services"] else None, "answers"
    )
    assert len(review["rows"]) == 15
    assert review["to_be_checked"] is True
    assert all(one["acts"] is None or one["acts"] == 0 or one["acts"] >= 5 for one in review["rows"])
    for lang in ("fi", "sv", "en"):
        page = advisory.joint.get(f"{path}/report.html?lang={lang}")
        assert page.headers["content-type"].startswith("text/html")
        assert f'<html lang="{lang}">' in page.text
        assert advisory.joint.get(f"{path}/report.pdf?lang={lang}").content.startswith(b"%PDF")
    decision = {
        "person_years": {"helsinki": 5, "espoo": 2, "vantaa": 2},
        "valid_from": "2030-01-01",
        "decided_on": "2026-11-24",
        "reason": "kysyntä on kasvanut",
    }
    problem(advisory.joint.put("/v1/resources/advisory", json=decision), 403, "role-needed")
    management = advisory.callers.of(JOINT, "helsinki", "management_group")
    management.send("/v1/resources/advisory", decision, "PUT")
    shares = {one["authority"]: one["person_years"] for one in advisory.joint.read("/v1/shares?day=2030-01-01")}
    assert shares == {"helsinki": 5, "espoo": 2, "vantaa": 2}
    today = {one["authority"]: one["person_years"] for one in advisory.joint.read("/v1/shares")}
    assert today == {"helsinki": 4, "espoo": 2, "vantaa": 2}


# -- borders


def test_no_callers_name_is_on_a_topic_in_another_office_in_a_log_or_in_a_span(
    advisory: Advisory, stack: Stack
) -> None:
    canary = f"kanaria{uuid4().hex[:10]}"
    contact = advisory.bring(person={"name": canary, "phone": canary, "email": f"{canary}@example.org", "text": canary})
    acting = contact["acting_authority"]
    advisory.wait_in_city(acting, contact["contact_id"], state="assigned")
    advisory.answer(acting, contact["contact_id"])
    advisory.wait_joint(contact["contact_id"], state="answered")

    async def elsewhere() -> Counter[str]:
        hits: Counter[str] = Counter()
        for city in CITIES:
            connection = await asyncpg.connect(stack.databases[city].url)
            tables = await connection.fetch(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'advisory'"
            )
            for table in (row["table_name"] for row in tables):
                sql = f"SELECT count(*) FROM advisory.{table} AS row WHERE row::text LIKE $1"
                hits[f"{city} {table}"] += await connection.fetchval(sql, f"%{canary}%")
            await connection.close()
        for record in await records_on(stack, *expanded(CITIES)):
            hits[record.topic] += canary.encode() in (record.value or b"") + (record.key or b"")
        return +hits

    assert asyncio.run(elsewhere()) == Counter()
    assert not any(canary in path.read_text() for path in stack.logs.iterdir())
