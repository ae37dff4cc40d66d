"""Letters: how they go out, what they say, and what comes back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from services.change_security import data
from services.change_security.domain import letters
from services.change_security.domain import notice as lifecycle
from services.change_security.domain.delivery import (
    ATTEMPTS_AT_CODE,
    CODE_HOLDS,
    Code,
    CodeAnswer,
    Protection,
    Waiting,
    protection,
    try_code,
)
from services.change_security.domain.filing import missing
from services.change_security.domain.letters import Links
from services.change_security.domain.mail import Bounce, LetterId, Reply, mark_of, read
from services.change_security.domain.notice import Channel, Notice, NoticeState, Receipt, Rulebook
from services.change_security.domain.routing import Authority, Municipality
from services.change_security.joint import smime
from shared.errors import RefusedError
from shared.events.v1.change_security import Filing
from tests.support.filings import ARRIVED, proposal

ID = UUID(int=7)
TURKU = Authority("turku", "Turku", "Åbo", "Turku", email="muutosturva@turku.example")
TABLE = data.authorities().with_others(
    [Municipality("853", "Turku", "Åbo", "turku", "turku", datetime(2026, 1, 1, tzinfo=UTC).date())], [TURKU]
)
BOOK = Rulebook(TABLE, data.rules())
LETTER = LetterId(UUID(int=9), "0123456789abcdef")
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def filed(**changes: object) -> Notice:
    filing = proposal(sites=[{"municipality": "853", "affected": 64}], **changes)
    return lifecycle.file(ID, filing, Receipt(Channel.OFFICER, "officer", ARRIVED, ARRIVED), BOOK).notice


def how(**changes: object) -> Protection | Waiting:
    usual = {"with_filing": True, "not_public": True, "certificate": None, "has_code": False, "has_link": True}
    return protection(**(usual | changes))  # type: ignore[arg-type]


def test_a_filing_that_is_not_public_never_travels_plain() -> None:
    for certificate in (None, False, True):
        for has_code in (False, True):
            for has_link in (False, True):
                made = how(certificate=certificate, has_code=has_code, has_link=has_link)
                assert made not in {Protection.PLAIN, Protection.NONE}
    assert how() is Waiting.NO_CERTIFICATE
    assert how(certificate=False) is Waiting.CERTIFICATE_EXPIRED
    assert how(certificate=True) is Protection.SMIME
    assert how(has_code=True) is Protection.RETRIEVAL
    assert how(has_code=True, has_link=False) is Waiting.NO_PUBLIC_ADDRESS


def test_a_public_one_may_and_is_encrypted_where_it_can_be() -> None:
    assert how(not_public=False) is Protection.PLAIN
    assert how(not_public=False, certificate=True) is Protection.SMIME
    assert how(with_filing=False) is Protection.NONE


def test_a_released_authority_is_told_only_that_it_is_released() -> None:
    notice = filed()
    released = lifecycle.revise(notice, proposal(), 1, ARRIVED, BOOK).notice
    assert not letters.is_about_filing(released, "turku")
    letter = letters.to_authority(released, "turku", TABLE, Protection.NONE, Links("https://a/c", "https://a/r"))
    assert letter.text == f"Ilmoitus {ID} ei enää koske teitä.\n\nAnmälan {ID} berör er inte längre.\n"
    assert not letter.has_filing


@pytest.mark.parametrize("state", [state for state in NoticeState if state is not NoticeState.OPEN])
def test_how_a_notice_ended_is_said_in_each_language_without_the_filing(state: NoticeState) -> None:
    into = UUID(int=9)
    notice = replace(filed(), state=state, merged_into=into if state is NoticeState.MERGED else None)
    letter = letters.to_authority(notice, "turku", TABLE, Protection.NONE, Links(), ("fi", "sv", "en"))
    assert not letter.has_filing
    assert letter.text.count(str(ID)) == 3
    assert letter.text.count(str(into)) == (3 if state is NoticeState.MERGED else 0)


def test_a_letter_is_in_the_recipients_languages_and_names_neither_employer_nor_measure() -> None:
    links = Links("https://a/c", "https://a/r")
    for made in (Protection.PLAIN, Protection.SMIME, Protection.RETRIEVAL):
        letter = letters.to_authority(filed(), "turku", TABLE, made, links, ("fi", "sv"))
        assert "toimipaikka (Turku)" in letter.text
        assert "verksamhetsställe (Åbo)" in letter.text
        assert letter.has_filing is (made is not Protection.RETRIEVAL)
        assert ("https://a/r" in letter.text) is (made is Protection.RETRIEVAL)
        for word in ("Esimerkki", "2077474", "irtisano", "uppsäg", "48", "64"):
            assert word not in letter.text + letter.subject
    alone = letters.to_authority(filed(), "turku", TABLE, Protection.PLAIN, Links(), ("sv",))
    assert "Ilmoitus" not in alone.text
    assert "svara på detta meddelande" in alone.text


@pytest.mark.parametrize(
    ("language", "handled", "lacks"),
    [("fi", "Helsingin kaupunki", "neuvottelujen paikka"), ("sv", "Helsingfors stad", "platsen för förhandlingarna")],
)
def test_an_employer_hears_in_its_language_who_handles_and_what_is_missing(
    language: str, handled: str, lacks: str
) -> None:
    notice = filed(language=language, negotiations={"starts_at": "2026-11-30T09:00:00+02:00"})
    letter = letters.to_employer(notice, TABLE)
    assert handled in letter.text
    assert lacks in letter.text
    assert not letter.has_filing
    assert "24.11.2026" in letter.text


def test_every_field_that_can_be_missing_has_a_name_in_each_language() -> None:
    filings = [
        Filing.model_validate({"kind": "negotiation_proposal", "employer": {"business_id": "2077474-0"}}),
        Filing.model_validate(
            {
                "kind": "negotiation_proposal",
                "employer": {"business_id": "2077474-0"},
                "measures": [{"measure": "layoff"}],
            }
        ),
        Filing.model_validate({"kind": "termination_notice", "employer": {"business_id": "2077474-0"}}),
        Filing.model_validate(
            {"kind": "termination_notice", "employer": {"business_id": "2077474-0"}, "terminations": [{}]}
        ),
    ]
    for filing in filings:
        for language in ("fi", "sv", "en"):
            names = letters.field_names(missing(filing), language)
            assert len(names) == len(missing(filing))
    assert "rivi 1: lukumäärä" in letters.field_names(missing(filings[1]), "fi")


@pytest.mark.parametrize("address", [None, "", "x", "a@b", "a@b.example\r\nBcc: c@d.example", "a b@c.example"])
def test_what_is_no_mailbox_gets_no_letter(address: str | None) -> None:
    employer = {"business_id": "2077474-0", "email": address}
    assert letters.mailbox(proposal(employer=employer)) is None


def test_a_code_opens_once_told_and_five_wrong_ones_lock() -> None:
    kept = Code.of("ABCDE23456", NOW)
    assert "ABCDE" not in repr(kept)
    assert try_code(kept, "abcde-23456 ", NOW) is CodeAnswer.RIGHT
    for attempts in range(ATTEMPTS_AT_CODE - 1):
        assert try_code(replace(kept, attempts=attempts), "WRONG", NOW) is CodeAnswer.WRONG
    assert try_code(replace(kept, attempts=ATTEMPTS_AT_CODE - 1), "WRONG", NOW) is CodeAnswer.LOCKED
    assert try_code(replace(kept, attempts=ATTEMPTS_AT_CODE), "ABCDE23456", NOW) is CodeAnswer.LOCKED
    assert try_code(kept, "ABCDE23456", NOW + CODE_HOLDS + timedelta(seconds=1)) is CodeAnswer.EXPIRED


def report(action: str = "failed", status: str = "5.1.1") -> EmailMessage:
    return message_from_bytes(
        f"""From: MAILER-DAEMON@turku.example
To: change-security@example.org
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

The mail system could not deliver <muutosturva@turku.example>.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.turku.example

Final-Recipient: rfc822; muutosturva@turku.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b
Content-Type: text/rfc822-headers

From: change-security@example.org
Message-ID: {LETTER.header("example.org")}

--b--
""".encode(),
        policy=policy.default,
    )


def test_a_delivery_report_names_the_letter_and_its_status() -> None:
    assert read(report()) == Bounce(LETTER, "5.1.1")
    assert read(report("failed", "unclear")) == Bounce(LETTER, "5.0.0")


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed"])
def test_a_delay_is_no_bounce(action: str) -> None:
    assert read(report(action, "4.4.1")) is None


def test_a_whole_letter_that_comes_back_is_recognised_too() -> None:
    whole = report().as_bytes().replace(b"text/rfc822-headers", b"message/rfc822")
    assert read(message_from_bytes(whole, policy=policy.default)) == Bounce(LETTER, "5.1.1")


def reply(**headers: str) -> EmailMessage:
    message = EmailMessage()
    usual = {"From": "Matti <Kirjaamo@Turku.example>", "In-Reply-To": LETTER.header("example.org")}
    for name, value in (usual | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        message[name] = value
    message.set_content("Kiitos")
    return message


def test_a_persons_reply_is_recognised_and_a_machines_is_not() -> None:
    assert read(reply()) == Reply(LETTER, "kirjaamo@turku.example")
    assert read(reply(In_Reply_To="<x@y>", References=f"<a@b> {LETTER.header('example.org')}")) is not None
    assert read(reply(Auto_Submitted="auto-replied")) is None
    assert read(reply(Precedence="bulk")) is None
    assert read(reply(In_Reply_To="<x@y>")) is None


def test_a_letters_mark_does_not_tell_its_token() -> None:
    assert mark_of("a" * 64) == mark_of("a" * 64) != mark_of("b" * 64)
    assert mark_of("a" * 64) not in "a" * 64


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    *,
    ends: datetime = NOW + timedelta(days=90),
    encipherment: bool | None = True,
) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "muutosturva@turku.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=400))
        .not_valid_after(ends)
    )
    if encipherment is not None:
        flags = dict.fromkeys(
            ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
        )
        usage = x509.KeyUsage(
            digital_signature=True, key_encipherment=encipherment, encipher_only=False, decipher_only=False, **flags
        )
        made = made.add_extension(usage, critical=True)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


KEY = rsa.generate_private_key(65537, 2048)


def test_a_letter_is_sealed_whole_and_opened_by_its_recipient_alone() -> None:
    pem = certificate(KEY)
    plain = EmailMessage()
    plain["From"], plain["To"], plain["Subject"] = "a@example.org", "b@turku.example", "Muutosturva"
    plain.set_content("Ilmoitus on liitteenä: salaisuus.")
    plain.add_attachment(b'{"a": 1}', maintype="application", subtype="json", filename="a.json")
    sealed = smime.encrypt(plain, pem)
    assert sealed["Subject"] == "Muutosturva"
    assert sealed.get_content_type() == "application/pkcs7-mime"
    assert sealed.get_param("smime-type") == "enveloped-data"
    assert b"salaisuus" not in sealed.as_bytes()
    content = sealed.get_payload(decode=True)
    assert isinstance(content, bytes)
    opened = pkcs7.pkcs7_decrypt_der(content, x509.load_pem_x509_certificate(pem.encode()), KEY, [])
    inner = message_from_bytes(opened, policy=policy.default)
    (attachment,) = inner.iter_attachments()
    assert attachment.get_content() == b'{"a": 1}'
    body = inner.get_body()
    assert body is not None
    assert "salaisuus" in body.get_content()
    # 2.16.840.1.101.3.4.1.42: AES-256 in CBC mode.
    assert bytes.fromhex("060960864801650304012a") in content


@pytest.mark.parametrize(
    ("pem", "code"),
    [
        ("no certificate", "wrong-certificate"),
        (certificate(KEY, ends=NOW - timedelta(days=1)), "certificate-not-valid"),
        (certificate(KEY, encipherment=False), "wrong-certificate"),
        (certificate(ec.generate_private_key(ec.SECP256R1())), "wrong-certificate"),
    ],
    ids=["none", "expired", "for signing", "not RSA"],
)
def test_a_certificate_that_letters_cannot_be_encrypted_to_is_refused(pem: str, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        smime.read(pem, NOW)
    assert refused.value.code == code


def test_a_certificate_is_shown_with_its_fingerprint_and_end() -> None:
    shown = smime.read(certificate(KEY, encipherment=None), NOW)
    assert shown.subject == "CN=muutosturva@turku.example"
    assert len(shown.fingerprint.split(":")) == 32
    assert shown.valid_until == NOW + timedelta(days=90)
