"""Reading the mail that comes back: reports that a letter was not delivered, and authorities' replies.

Only what names one of our own letters is looked at, and nothing of the text is kept.
"""

import hashlib
import re
from dataclasses import dataclass
from email.message import Message
from email.utils import parseaddr
from typing import Final
from uuid import UUID

_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_OURS: Final = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9a-f]{16})@")


def mark_of(token: str) -> str:
    """Return the part of a letter's Message-ID that its recipient alone can know; its token does not follow from it."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class LetterId:
    """Names one of our letters: the delivery, and a part that only its recipient can know."""

    delivery_id: UUID
    mark: str

    def header(self, domain: str) -> str:
        """Write it as a Message-ID."""
        return f"<{self.delivery_id}.{self.mark}@{domain}>"


@dataclass(frozen=True, slots=True)
class Bounce:
    """A letter that could not be delivered, with the enhanced status code (RFC 3463)."""

    letter: LetterId
    status: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A person's reply to a letter. `sender`: the address that it says it comes from, in small letters."""

    letter: LetterId
    sender: str


def read(message: Message) -> Bounce | Reply | None:
    """Return what a mail says of one of our letters; None when it says nothing: a delay, an absence, another's mail.

    A machine's answer is no receipt: out-of-office mails say so themselves (RFC 3834).
    """
    if message.get_content_type() == "multipart/report":
        return _bounce(message)
    if str(message.get("Auto-Submitted", "no")).partition(";")[0].strip().lower() != "no":
        return None
    if str(message.get("Precedence", "")).strip().lower() in {"bulk", "junk", "auto_reply"}:
        return None
    letter = _letter(" ".join(str(message.get(name, "")) for name in ("In-Reply-To", "References")))
    sender = parseaddr(str(message.get("From", "")))[1].lower()
    return Reply(letter, sender) if letter is not None and sender else None


def _bounce(report: Message) -> Bounce | None:
    status, letter = None, None
    for part in report.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            status = status or _failed_status(part)
        elif kind == "text/rfc822-headers":
            letter = letter or _letter(_text(part))
        elif part is not report and part.get("Message-ID"):
            letter = letter or _letter(str(part["Message-ID"]))
    return Bounce(letter, status) if letter is not None and status is not None else None


def _failed_status(part: Message) -> str | None:
    """Return the status of the first recipient for whom delivery has failed for good (RFC 3464)."""
    blocks = part.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, Message) and str(block.get("Action", "")).strip().lower() == "failed":
            found = _STATUS.search(str(block.get("Status", "")))
            return found[0] if found else "5.0.0"
    return None


def _letter(text: str) -> LetterId | None:
    found = _OURS.search(text)
    return LetterId(UUID(found[1]), found[2]) if found else None


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
