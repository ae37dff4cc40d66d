"""Letters by e-mail, at the joint office and in a city alike: the table, its queries, and the delivery.

A letter stays in the office that has its reader's address. At least once: the Message-ID is derived from the letter, so
that a repeated one is recognised as the same.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum
from typing import Any, ClassVar, Final
from uuid import UUID, uuid4

import aiosmtplib
import structlog
from pydantic import BaseModel, ConfigDict
from pydantic import Field as Described
from sqlalchemy import Column, DateTime, Index, MetaData, Text, and_, or_, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.advisory.domain.letters import LetterKind, Words
from services.advisory.settings import Settings
from shared.database import EnumText, insert
from shared.events.envelope import derived_id
from shared.events.v1.advisory import Language
from shared.messaging.transaction import Database
from shared.store import Store
from shared.telemetry import describe

_log = structlog.get_logger("services.advisory.outgoing")
_LONGEST_WAIT: Final = timedelta(hours=1)
_GIVEN_UP_AFTER: Final = timedelta(days=5)
"""As mail servers do (RFC 5321, 4.5.4.1)."""


metadata = MetaData()
"""Of the table that both sides have."""


class LetterState(StrEnum):
    """How far a letter is. Without an address it is kept, and not sent; one that no server takes is given up."""

    QUEUED = "queued"
    SENT = "sent"
    NO_ADDRESS = "no_address"
    FAILED = "failed"


def _instant(*, null: bool = False) -> Any:
    kind = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=True) if null else Field(sa_type=kind)


class LetterRow(SQLModel, table=True):
    """A letter. `about`: the contact, the subscription or the announcement."""

    metadata: ClassVar[MetaData] = metadata
    __tablename__ = "letter"
    __table_args__ = (
        Index("letter_due", "next_attempt_at", postgresql_where=text("state = 'queued'")),
        Index("letter_about", "about"),
        Index("letter_written", "written_at", "letter_id"),
    )

    letter_id: UUID = Field(primary_key=True)
    kind: LetterKind = Field(sa_column=Column(EnumText(LetterKind), nullable=False))
    about: UUID
    address: str | None = Field(default=None, sa_type=Text)
    language: Language = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    unsubscribe_url: str | None = Field(default=None, sa_type=Text)
    written_by: str = Field(sa_type=Text)
    written_at: datetime = _instant()
    state: LetterState = Field(sa_column=Column(EnumText(LetterState), nullable=False))
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    next_attempt_at: datetime = _instant()
    sent_at: datetime | None = _instant(null=True)
    problem: str | None = Field(default=None, sa_type=Text)


_LETTER: Final = insert(LetterRow, LetterRow)


class LetterOut(BaseModel):
    """A letter's course. Its reader and its words are not shown here."""

    model_config = ConfigDict(from_attributes=True)

    letter_id: UUID
    kind: LetterKind
    about: UUID = Described(description="The contact, the subscription or the announcement.")
    language: Language
    state: LetterState
    written_at: datetime
    attempts: int
    sent_at: datetime | None
    problem: str | None


class Letters(Store):
    """An office's letters."""

    def write(
        self, kind: LetterKind, about: UUID, address: str | None, language: Language, words: Words, by: str
    ) -> UUID:
        """Queue a letter; return its id, the same when its cause is handled again."""
        now = self._tx.clock.now()
        row = LetterRow(
            letter_id=derived_id("letter", kind, about, address or "", self._tx.cause),
            kind=kind,
            about=about,
            address=address,
            language=language,
            subject=" ".join(words.subject.split()),
            body=words.body,
            unsubscribe_url=words.unsubscribe_url,
            written_by=by,
            written_at=now,
            state=LetterState.QUEUED if address else LetterState.NO_ADDRESS,
            attempts=0,
            next_attempt_at=now,
        )
        self._tx.stage(_LETTER, row)
        return row.letter_id

    async def of(self, about: UUID) -> Sequence[LetterRow]:
        """Return the letters about something, oldest first."""
        return await self._all(
            select(LetterRow)
            .where(LetterRow.about == about)
            .order_by(col(LetterRow.written_at), col(LetterRow.letter_id))
        )

    async def page_of(self, about: UUID, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[LetterRow]:
        """Return some of the letters about something, oldest first."""
        query = select(LetterRow).where(LetterRow.about == about)
        return await self._all(_following(query, after, limit))

    async def take_due(self) -> LetterRow | None:
        """Return a letter that is due, locked; those that another process has are passed over."""
        return await self._first(
            select(LetterRow)
            .where(LetterRow.state == LetterState.QUEUED, col(LetterRow.next_attempt_at) <= self._tx.clock.now())
            .order_by(col(LetterRow.next_attempt_at))
            .limit(1)
            .with_for_update(skip_locked=True)
        )

    async def lock(self, letter_id: UUID) -> LetterRow | None:
        """Return a letter to be changed."""
        return await self._get(LetterRow, letter_id, lock=True)

    async def page(
        self, state: LetterState | None, kind: LetterKind | None, after: tuple[datetime, UUID] | None, limit: int
    ) -> Sequence[LetterRow]:
        """Return letters, oldest first."""
        query = select(LetterRow)
        if state is not None:
            query = query.where(LetterRow.state == state)
        if kind is not None:
            query = query.where(LetterRow.kind == kind)
        return await self._all(_following(query, after, limit))


def _following(
    query: SelectOfScalar[LetterRow], after: tuple[datetime, UUID] | None, limit: int
) -> SelectOfScalar[LetterRow]:
    written, letter_id = col(LetterRow.written_at), col(LetterRow.letter_id)
    if after is not None:
        query = query.where(or_(written > after[0], and_(written == after[0], letter_id > after[1])))
    return query.order_by(written, letter_id).limit(limit)


def email_of(row: LetterRow, sender: str) -> EmailMessage:
    """Make the e-mail of a letter.

    Raises:
        ValueError: the address cannot stand in an e-mail.
    """
    message = EmailMessage()
    message["From"] = sender
    message["To"] = row.address
    message["Subject"] = row.subject
    message["Message-ID"] = f"<{row.letter_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "no" if row.kind is LetterKind.ANSWER else "auto-generated"
    if row.unsubscribe_url is not None:
        message["List-Unsubscribe"] = f"<{row.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(row.body)
    message["Content-Language"] = row.language
    return message


class EmailDelivery:
    """Sends an office's letters."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    async def send_due(self) -> int:
        """Send every letter that is due; return how many the server took. A failed one is tried again later."""
        if self._settings.mail_host is None:
            return 0
        sent = 0
        while (letter := await self._take()) is not None:
            problem = await self._problem_of_sending(letter)
            await self._settle(letter.letter_id, problem)
            sent += problem is None
        return sent

    async def _take(self) -> LetterRow | None:
        # No transaction stays open while a server dawdles: it would hold back the relay.
        async with self._database.transaction(uuid4()) as tx:
            row = await Letters(tx).take_due()
            if row is not None:
                row.attempts += 1
                wait = timedelta(seconds=20 * 2 ** min(row.attempts, 10))
                row.next_attempt_at = tx.clock.now() + min(wait, _LONGEST_WAIT)
            return row

    async def _problem_of_sending(self, letter: LetterRow) -> str | None:
        settings = self._settings
        try:
            await aiosmtplib.send(
                email_of(letter, settings.mail_from),
                hostname=settings.mail_host,
                port=settings.mail_port,
                start_tls=settings.mail_starttls,
                username=settings.mail_user,
                password=settings.mail_password.get_secret_value() if settings.mail_password else None,
                timeout=20,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            return describe(error)
        except ValueError:
            return "the address cannot be used"
        return None

    async def _settle(self, letter_id: UUID, problem: str | None) -> None:
        async with self._database.transaction(uuid4()) as tx:
            row = await Letters(tx).lock(letter_id)
            if row is None:
                return
            row.problem = problem
            if problem is None:
                row.state, row.sent_at = LetterState.SENT, tx.clock.now()
                return
            if row.written_at < tx.clock.now() - _GIVEN_UP_AFTER:
                row.state = LetterState.FAILED
                _log.warning("e-mail given up", letter_id=str(letter_id), error=problem)
            else:
                _log.warning("e-mail not taken, trying again", letter_id=str(letter_id), error=problem)
