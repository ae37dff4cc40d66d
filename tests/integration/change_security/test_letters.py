"""Letters to authorities outside the region and to employers, on the real store, with an SMTP server of our own."""

import asyncio
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from deploy.local.client import Callers, wait_for
from deploy.local.processes import free_port
from deploy.local.sample_data import proposal_json
from deploy.local.stack import JOINT, Stack
from services.change_security import data
from services.change_security.domain.notice import Rulebook
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.delivery_commands import Letters
from services.change_security.joint.email_delivery import EmailDelivery
from tests.integration.change_security.test_notices import settings_of, writer_of
from tests.support.matters import Matters

AUTHORITY = "saaristo"
MUNICIPALITY = "991"
ADDRESS = "muutosturva@saaristo.example"


class Post:
    """An SMTP server, and the joint office's delivery to it."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._mails: list[Any] = []
        port = free_port()
        self._settings = settings_of(
            stack,
            JOINT,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_starttls=False,
            public_url=stack.url("change_security", JOINT),
        )
        self.server = Controller(self, hostname="127.0.0.1", port=port)

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        self._mails.append(envelope)
        return "250 taken"

    def send(self, delivery_id: str) -> Any:
        """Send what is due; return the mail of a delivery, None if it was not sent."""

        async def run() -> None:
            database = writer_of(self._settings)
            office = JointOffice(Rulebook(data.authorities(), data.rules()), shipped=data.authorities())
            async with database.read() as tx:
                await office.read_directory(tx)
            await EmailDelivery(database, Letters(office, self._settings.public_url), self._settings).send_due()
            await database.engine.dispose()

        asyncio.run(run())
        mails = [message_from_bytes(one.content, policy=policy.default) for one in self._mails]
        return next((mail for mail in reversed(mails) if f"<{delivery_id}." in mail["Message-ID"]), None)


@pytest.fixture(scope="module")
def post(stack: Stack, callers: Callers) -> Iterator[Post]:
    async def outside() -> None:
        connection = await asyncpg.connect(stack.databases[JOINT].url)
        await connection.execute("SET search_path = change_security")
        await connection.execute(
            "INSERT INTO authority (code, name_fi, name_sv, name_en, email, under_act, languages)"
            """ VALUES ($1, 'Saaristo', 'Skärgården', 'Archipelago', $2, true, '["sv", "fi"]')""",
            AUTHORITY,
            ADDRESS,
        )
        await connection.execute(
            "INSERT INTO municipality VALUES ($1, '2025-06-01', NULL, 'Saari', 'Ö', $2, $2)", MUNICIPALITY, AUTHORITY
        )
        await connection.close()

    asyncio.run(outside())
    matters = Matters(callers, uuid4().hex)

    def is_routed() -> bool:
        notice_id = matters.file(sites=[{"municipality": MUNICIPALITY}])["notice_id"]
        return bool(callers.coordinator.read(f"/v1/notices/{notice_id}/deliveries")["items"])

    wait_for(is_routed, "the new authority")
    made = Post(stack)
    made.server.start()
    yield made
    made.server.stop()


def filed(matters: Matters, **changes: Any) -> tuple[str, dict[str, Any]]:
    notice_id = matters.file(sites=[{"municipality": MUNICIPALITY}], **changes)["notice_id"]
    (delivery,) = matters.callers.coordinator.read(f"/v1/notices/{notice_id}/deliveries")["items"]
    return notice_id, delivery


def delivery_of(callers: Callers, notice_id: str, version: int = 1) -> dict[str, Any]:
    items = callers.coordinator.read(f"/v1/notices/{notice_id}/deliveries")["items"]
    return next(one for one in items if one["version"] == version and one["kind"] == "authority")


def link(mail: Any, what: str) -> str:
    words = str(mail.get_body().get_content()).split()
    return next(word for word in words if f"/v1/{what}/" in word).rstrip(".")


def test_what_is_not_public_waits_until_it_can_be_fetched_once_with_a_code(
    callers: Callers, matters: Matters, post: Post
) -> None:
    notice_id, delivery = filed(matters, not_public=True)
    assert (delivery["state"], delivery["waiting_for"]) == ("waiting", "no_certificate")
    waiting = callers.coordinator.read("/v1/deliveries?state=waiting&limit=200")["items"]
    assert delivery["delivery_id"] in [one["delivery_id"] for one in waiting]
    assert post.send(delivery["delivery_id"]) is None
    made = callers.coordinator.send(f"/v1/deliveries/{delivery['delivery_id']}/retrieval")
    mail = post.send(delivery["delivery_id"])
    assert "Esimerkki" not in mail.as_string()
    assert made["code"] not in mail.as_string()
    assert list(mail.iter_attachments()) == []
    assert mail["Subject"] == f"Omställningsskydd: anmälan {notice_id} / Muutosturva: ilmoitus {notice_id}"
    address = link(mail, "retrievals")
    page = httpx.get(address, headers={"accept": "text/html"})
    assert 'name="code"' in page.text
    assert "Esimerkki" not in page.text
    # The link alone is no receipt: the filing has not been had.
    assert httpx.post(address.replace("retrievals", "confirmations")).status_code == 409
    wrong = httpx.post(address, json={"code": "0000000000"})
    assert (wrong.status_code, wrong.json()["type"]) == (403, "urn:problem:code-wrong")
    fetched = httpx.post(address, data={"code": made["code"].lower()})
    assert fetched.json()["filing"]["employer"]["name"] == "Esimerkkitehdas Oy"
    assert fetched.headers["cache-control"] == "no-store"
    assert httpx.post(address, json={"code": made["code"]}).status_code == 409
    after = delivery_of(callers, notice_id)
    assert (after["state"], after["confirmed_by"], after["protection"]) == ("confirmed", "retrieval", "retrieval")
    assert matters.states(notice_id)[AUTHORITY] == "acknowledged"
    # Withdrawn: that needs no protection, since it says nothing.
    callers.system.send(f"/v1/notices/{notice_id}/withdrawal")
    end = delivery_of(callers, notice_id, 2)
    mail = post.send(end["delivery_id"])
    assert delivery_of(callers, notice_id, 2)["protection"] == "none"
    assert "har återkallat" in mail.get_body().get_content()


def test_five_wrong_codes_lock_a_letter_until_a_coordinator_makes_a_new_one(
    callers: Callers, matters: Matters, post: Post
) -> None:
    notice_id, delivery = filed(matters, not_public=True)
    path = f"/v1/deliveries/{delivery['delivery_id']}/retrieval"
    code = callers.coordinator.send(path)["code"]
    address = link(post.send(delivery["delivery_id"]), "retrievals")
    answers = [httpx.post(address, json={"code": "wrong"}).json()["type"] for _ in range(5)]
    assert answers == ["urn:problem:code-wrong"] * 4 + ["urn:problem:code-locked"]
    assert httpx.post(address, json={"code": code}).status_code == 409
    locked = delivery_of(callers, notice_id)
    assert (locked["state"], locked["waiting_for"]) == ("waiting", "code_locked")
    new = callers.coordinator.send(path)["code"]
    post.send(delivery["delivery_id"])
    assert httpx.post(address, json={"code": code}).status_code == 403
    assert httpx.post(address, json={"code": new}).status_code == 200


def test_with_a_certificate_the_letter_is_sealed_and_without_one_a_newer_letter_takes_its_place(
    callers: Callers, matters: Matters, post: Post
) -> None:
    notice_id, delivery = filed(matters, not_public=True)
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ADDRESS)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    body = {"certificate": made.public_bytes(serialization.Encoding.PEM).decode()}
    path = f"/v1/authorities/{AUTHORITY}/certificate"
    assert callers.coordinator.put(path, json={"certificate": "none"}).status_code == 422
    assert callers.of(JOINT, "vantaa", "officer").put(path, json=body).status_code == 403
    assert callers.coordinator.send(path, body, method="PUT")["subject"] == f"CN={ADDRESS}"
    mail = post.send(delivery["delivery_id"])
    assert mail.get_content_type() == "application/pkcs7-mime"
    opened = pkcs7.pkcs7_decrypt_der(mail.get_payload(decode=True), made, key, [])
    assert b"/confirmations/" in opened
    inner = message_from_bytes(opened, policy=policy.default)
    (attachment,) = inner.iter_attachments()
    assert b"Esimerkkitehdas" in attachment.get_content()
    assert callers.coordinator.http.delete(path).status_code == 204
    assert delivery_of(callers, notice_id)["protection"] == "smime"
    for revision in (1, 2):
        filing = proposal_json(sites=[{"municipality": MUNICIPALITY, "affected": revision}], not_public=True)
        callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": revision, "filing": filing})
    assert delivery_of(callers, notice_id, 2)["state"] == "superseded"
    assert delivery_of(callers, notice_id, 3)["waiting_for"] == "no_certificate"


def test_a_letter_is_confirmed_by_its_link_which_looking_does_not_do(
    callers: Callers, matters: Matters, post: Post
) -> None:
    notice_id, delivery = filed(matters)
    address = link(post.send(delivery["delivery_id"]), "confirmations")
    assert httpx.get(address).json() == {"notice_id": notice_id, "state": "sent"}
    assert matters.states(notice_id)[AUTHORITY] == "sent"
    assert httpx.post(address).json()["state"] == httpx.post(address).json()["state"] == "confirmed"
    assert matters.states(notice_id)[AUTHORITY] == "acknowledged"
    assert httpx.post(address[:-4] + "0000").status_code == 404


def post_back(stack: Stack, mail: EmailMessage, sender: str) -> None:
    port = int(stack.environment(JOINT)["SMTP_INTAKE_PORT"])
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail(sender, ["change-security@example.org"], mail.as_bytes())


def bounce(message_id: str) -> EmailMessage:
    return message_from_bytes(
        f"""From: MAILER-DAEMON@saaristo.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.saaristo.example

Final-Recipient: rfc822; {ADDRESS}
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}

--b--
""".encode(),
        policy=policy.default,
    )


def reply(message_id: str, sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["In-Reply-To"], mail["Subject"] = sender, message_id, "VS: Muutosturva"
    mail.set_content("Kiitos")
    return mail


def test_a_letter_that_comes_back_is_seen_and_sent_again_and_a_reply_confirms_it(
    callers: Callers, matters: Matters, post: Post, stack: Stack
) -> None:
    notice_id, delivery = filed(matters)
    message_id = post.send(delivery["delivery_id"])["Message-ID"]
    post_back(stack, bounce(message_id.replace(".", ".0", 1)), "")  # another's mark: nothing of ours
    assert delivery_of(callers, notice_id)["state"] == "sent"
    post_back(stack, bounce(message_id), "")
    listed = callers.coordinator.read("/v1/deliveries?state=bounced")["items"]
    (back,) = [one for one in listed if one["notice_id"] == notice_id]
    assert back["bounce_status"] == "5.1.1"
    assert matters.states(notice_id)[AUTHORITY] == "sent"
    address = {"email": "kirjaamo@saaristo.example"}
    callers.coordinator.send(f"/v1/authorities/{AUTHORITY}/email", address, method="PUT")
    callers.coordinator.send(f"/v1/deliveries/{delivery['delivery_id']}/resending")
    assert post.send(delivery["delivery_id"])["To"] == "kirjaamo@saaristo.example"
    with pytest.raises(smtplib.SMTPDataError) as refused:
        post_back(stack, reply(message_id, "somebody@elsewhere.example"), "somebody@elsewhere.example")
    assert refused.value.smtp_code == 554
    assert matters.states(notice_id)[AUTHORITY] == "sent"
    post_back(stack, reply(message_id, "Matti <matti@saaristo.example>"), "matti@saaristo.example")
    assert delivery_of(callers, notice_id)["confirmed_by"] == "reply"
    assert matters.states(notice_id)[AUTHORITY] == "acknowledged"
    again = callers.coordinator.post(f"/v1/deliveries/{delivery['delivery_id']}/resending")
    assert (again.status_code, again.json()["type"]) == (409, "urn:problem:invalid-state")


def test_an_employer_is_asked_by_a_letter_in_its_language_and_only_then_was_asked(callers: Callers, post: Post) -> None:
    employer = {"business_id": "2077474-0", "domicile": "091", "email": "hr@esimerkki.example"}
    filing = {"kind": "negotiation_proposal", "employer": employer, "language": "sv"}
    notice = callers.coordinator.send("/v1/notices", {"filing": filing})
    assert notice["completion_asked_at"] is None
    (delivery,) = callers.coordinator.read(f"/v1/notices/{notice['notice_id']}/deliveries")["items"]
    assert (delivery["kind"], delivery["authority"]) == ("employer", None)
    mail = post.send(delivery["delivery_id"])
    assert mail["To"] == "hr@esimerkki.example"
    assert "Helsingfors stad" in mail.get_body().get_content()
    assert "platsen för förhandlingarna" in mail.get_body().get_content()
    sent = callers.coordinator.read(f"/v1/notices/{notice['notice_id']}")
    assert sent["completion_asked_at"] is not None
    assert sent["version"] == notice["version"]
