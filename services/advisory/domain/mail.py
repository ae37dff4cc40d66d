"""E-mail as a contact: what can be read from a message without guessing at people.

The language follows the address that was written to; the topic follows plain words of the three languages; the business
id is taken where a valid one stands. What cannot be told stays unknown, and a person fills it in.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from typing import Final

from stdnum.fi import ytunnus

from services.advisory.domain.contact import MAX_ADDRESS, MAX_TEXT, Person
from shared.events.v1.advisory import Contact, ContactChannel, ContactTopic, Language

_LANGUAGE_OF: Final[dict[str, Language]] = {
    "neuvonta": "fi",
    "tyonantajat": "fi",
    "radgivning": "sv",
    "arbetsgivare": "sv",
    "advice": "en",
    "employers": "en",
}
"""The local part of an address of ours, and its language."""

_WORDS: Final[dict[ContactTopic, str]] = {
    ContactTopic.CHANGE_SITUATION: r"muutosneuvottelu|irtisano|lomautu|omställningsförhandling|uppsäg|permitter"
    r"|change negotiation|redundan|lay-?off|dismiss",
    ContactTopic.WAGE_SUBSIDY: r"palkkatu|lönesubvention|lönestöd|wage subsid",
    ContactTopic.TRAINING: r"koulutu|utbildning|training",
    ContactTopic.RECRUITMENT: r"rekry|työntekijä|työpaik|rekryter|arbetsplats|anställ|recruit|vacanc|hire|hiring",
}
"""The first that is found counts: a lay-off comes before whom one would hire later."""

_BUSINESS_ID: Final = re.compile(
    r"(?<!\d)\d{7}-\d(?!\d)|\bFI\d{8}(?!\d)|(?:y-?tunnus|fo-?nummer|business id)\W{1,3}(\d{8})(?!\d)", re.IGNORECASE
)
"""1234567-8, a VAT number, or eight digits that are called so: others may be a date."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A contact by e-mail, and what only the office that took it keeps."""

    message_id: str
    contact: Contact
    person: Person


def read(message: EmailMessage, now: datetime) -> Mail:
    """Read an e-mail as a contact."""
    body = message.get_body(("plain", "html"))
    text = body.get_content() if body is not None else ""
    if body is not None and body.get_content_type() == "text/html":
        text = re.sub(r"<[^>]+>", " ", text)
    subject = str(message.get("Subject", ""))
    words = f"{subject}\n{text}"
    recipients = [address for _, address in getaddresses([str(to) for to in message.get_all("To", [])])]
    mailboxes = [address.partition("@")[0].lower() for address in recipients]
    languages = [_LANGUAGE_OF[name] for name in mailboxes if name in _LANGUAGE_OF]
    written = [match.group(1) or match.group() for match in _BUSINESS_ID.finditer(words)]
    business_ids = [text for text in written if ytunnus.is_valid(text)]
    return Mail(
        message_id=str(message.get("Message-ID", "")).strip(),
        contact=Contact(
            channel=ContactChannel.EMAIL,
            topic=next(
                (topic for topic, pattern in _WORDS.items() if re.search(pattern, words, re.IGNORECASE)),
                ContactTopic.OTHER,
            ),
            language=languages[0] if languages else "fi",
            business_id=business_ids[0] if business_ids else None,
            received_at=min(_sent(message) or now, now),
        ),
        person=Person(
            email=parseaddr(str(message.get("From", "")))[1][:MAX_ADDRESS],
            text=words[:MAX_TEXT],
        ),
    )


def _sent(message: EmailMessage) -> datetime | None:
    try:
        sent = parsedate_to_datetime(str(message["Date"]))
    except ValueError:
        return None
    return sent if sent.tzinfo else sent.replace(tzinfo=UTC)
