"""The tables of this service, in its own schema. Filings live in the revision tables alone: nothing is overwritten.

Rows are written in bulk by the statements in `store`; these classes are for reading and for the migration's check.
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

metadata = MetaData()
"""This service's own: SQLModel's global one would mix the services' tables."""


def _json() -> Any:
    return Field(sa_column=Column(JSONB, nullable=False))


def _instant(*, null: bool = False) -> Any:
    kind = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=True) if null else Field(sa_type=kind)


def _text(*, key: bool = False, null: bool = False) -> Any:
    return Field(default=None, sa_type=Text, nullable=True) if null else Field(sa_type=Text, primary_key=key)


class Table(SQLModel):
    """What the tables have in common."""

    metadata: ClassVar[MetaData] = metadata


# -- the joint office -------------------------------------------------------------------------------------------------


class NoticeRow(Table, table=True):
    """A matter at the joint office."""

    __tablename__ = "notice"
    __table_args__ = (Index("notice_registered", "registered_at", "notice_id"),)

    notice_id: UUID = Field(primary_key=True)
    status: str = _text()
    version: int
    revision: int
    channel: str = _text()
    filed_by: str = _text()
    arrived_at: datetime = _instant()
    registered_at: datetime = _instant()
    routing_version: str = _text()
    manual: list[str] = _json()
    outcome: str | None = _text(null=True)
    trace_id: str | None = _text(null=True)
    revised_at: datetime | None = _instant(null=True)


class NoticeRevisionRow(Table, table=True):
    """One revision of a filing. `waiting` until its predecessor has come."""

    __tablename__ = "notice_revision"

    notice_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    waiting: bool = Field(primary_key=True)
    filing: dict[str, Any] = _json()
    filed_by: str = _text()
    recorded_at: datetime = _instant()
    trace_id: str | None = _text(null=True)


class EntryRow(Table, table=True):
    """One authority's part in a notice."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index(
            "ledger_entry_waiting",
            "store_by",
            "acknowledge_by",
            postgresql_where=text(
                "state <> 'released' AND (version_stored < version_sent OR state IN ('sent', 'stored'))"
            ),
        ),
    )

    notice_id: UUID = Field(primary_key=True)
    authority: str = _text(key=True)
    office: str | None = _text(null=True)
    mode: str = _text()
    acting_authority: str = _text()
    state: str = _text()
    reasons: list[dict[str, Any]] = _json()
    version_sent: int
    revision_sent: int
    sent_at: datetime = _instant()
    store_by: datetime = _instant()
    acknowledge_by: datetime = _instant()
    version_stored: int
    revision_stored: int
    stored_at: datetime | None = _instant(null=True)
    acknowledged_at: datetime | None = _instant(null=True)
    decline_reason: str | None = _text(null=True)
    case_outcome: str | None = _text(null=True)
    case_closed_at: datetime | None = _instant(null=True)
    escalated: str | None = _text(null=True)


class UnroutedRow(Table, table=True):
    """A place in a filing that leads to no authority, until a coordinator or a revision resolves it."""

    __tablename__ = "unrouted"
    __table_args__ = (Index("unrouted_open", "since", "notice_id", postgresql_where=text("resolved_at IS NULL")),)

    notice_id: UUID = Field(primary_key=True)
    kind: str = _text(key=True)
    municipality: str = _text(key=True)
    why: str = _text()
    since: datetime = _instant()
    resolved_at: datetime | None = _instant(null=True)
    resolved_by: str | None = _text(null=True)
    resolution: str | None = _text(null=True)


class DeliveryRow(Table, table=True):
    """An e-mail to an authority outside the region, with its own receipt."""

    __tablename__ = "external_delivery"
    __table_args__ = (Index("external_delivery_due", "next_attempt_at", postgresql_where=text("state = 'queued'")),)

    delivery_id: UUID = Field(primary_key=True)
    notice_id: UUID
    authority: str = _text()
    version: int
    state: str = _text()
    attempts: int
    next_attempt_at: datetime = _instant()
    sent_at: datetime | None = _instant(null=True)
    problem: str | None = _text(null=True)
    traceparent: str | None = _text(null=True)


class IdempotencyRow(Table, table=True):
    """A request that was answered, so that the same request again has no second effect."""

    __tablename__ = "idempotency"

    subject: str = _text(key=True)
    key: str = _text(key=True)
    request_hash: str = _text()
    notice_id: UUID
    created_at: datetime = _instant()


class MunicipalityRow(Table, table=True):
    """A municipality imported beside those that ship with the service."""

    __tablename__ = "municipality"

    code: str = _text(key=True)
    valid_from: date = Field(primary_key=True)
    valid_to: date | None = None
    name_fi: str = _text()
    name_sv: str = _text()
    area: str = _text()
    authority: str = _text()


class AuthorityRow(Table, table=True):
    """An authority imported beside those that ship with the service."""

    __tablename__ = "authority"

    code: str = _text(key=True)
    name_fi: str = _text()
    name_sv: str = _text()
    name_en: str = _text()
    email: str | None = _text(null=True)
    under_act: bool


# -- a city's office --------------------------------------------------------------------------------------------------


class CaseRow(Table, table=True):
    """An authority's own case.

    `arrived_at` and `registered_at` are missing only while an ending has overtaken its beginning.
    """

    __tablename__ = "authority_case"
    __table_args__ = (Index("authority_case_stored", "stored_at", "notice_id"),)

    notice_id: UUID = Field(primary_key=True)
    status: str = _text()
    version: int
    revision: int
    competent_authority: str = _text()
    acting_authority: str = _text()
    handling_mode: str = _text()
    reasons: list[dict[str, Any]] = _json()
    missing: list[str] = _json()
    arrived_at: datetime | None = _instant(null=True)
    registered_at: datetime | None = _instant(null=True)
    acknowledge_by: datetime | None = _instant(null=True)
    outcome: str | None = _text(null=True)
    stored_at: datetime = _instant()
    trace_id: str | None = _text(null=True)
    specialist: str | None = _text(null=True)
    acknowledged_at: datetime | None = _instant(null=True)
    overdue: str | None = _text(null=True)


class CaseRevisionRow(Table, table=True):
    """One revision of a filing, as this authority received it."""

    __tablename__ = "case_revision"

    notice_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    filing: dict[str, Any] = _json()
    stored_at: datetime = _instant()


class CaseStepRow(Table, table=True):
    """A step of the course that is done or not needed."""

    __tablename__ = "case_step"

    notice_id: UUID = Field(primary_key=True)
    step: str = _text(key=True)
    state: str = _text()
    at: datetime = _instant()
    by: str = _text()


class CaseCheckRow(Table, table=True):
    """A checklist item that an officer has checked."""

    __tablename__ = "case_check"

    notice_id: UUID = Field(primary_key=True)
    item: str = _text(key=True)
    at: datetime = _instant()
    by: str = _text()


class CaseNoteRow(Table, table=True):
    """An officer's note. It never leaves this office."""

    __tablename__ = "case_note"
    __table_args__ = (Index("case_note_of", "notice_id", "id"),)

    id: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))
    notice_id: UUID
    text: str = _text()
    by: str = _text()
    at: datetime = _instant()
