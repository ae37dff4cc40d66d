"""A city's tables."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

from services.advisory.domain.caller import QueryState
from services.advisory.domain.contact import ContactState, Person
from shared.database import EnumText, Json
from shared.events.v1.advisory import AnnouncementMade, Contact, GuidancePublished, OfficerListed, ServiceName

metadata = MetaData()
"""This side's own: SQLModel's global one would mix the services' tables."""


def _instant(*, null: bool = False) -> Any:
    kind = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=True) if null else Field(sa_type=kind)


def _text(*, key: bool = False, null: bool = False) -> Any:
    return Field(default=None, sa_type=Text, nullable=True) if null else Field(sa_type=Text, primary_key=key)


def _json(kind: Any, *, null: bool = False) -> Any:
    column: Column[Any] = Column(Json(kind), nullable=null)
    return Field(default=None, sa_column=column) if null else Field(sa_column=column)


class Table(SQLModel):
    """What the tables have in common."""

    metadata: ClassVar[MetaData] = metadata


class OwnContactRow(Table, table=True):
    """A contact that one of the city's officers has, or had."""

    __tablename__ = "own_contact"
    __table_args__ = (Index("own_contact_officer", "officer", "received_at"),)

    contact_id: UUID = Field(primary_key=True)
    version: int
    contact: Contact = _json(Contact)
    state: ContactState = Field(sa_column=Column(EnumText(ContactState), nullable=False))
    officer: str = _text()
    competent_authority: str | None = _text(null=True)
    reason: str = _text()
    hand_over_id: UUID | None = None
    is_acknowledged: bool
    is_overdue: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    person: Person | None = _json(Person, null=True)
    received_at: datetime = _instant()
    joined: list[UUID] = Field(
        sa_column=Column(Json(list[UUID]), nullable=False, server_default="[]"), default_factory=list
    )
    reopened_version: int | None = None
    due_at: datetime | None = _instant(null=True)
    reopened_at: datetime | None = _instant(null=True)


class OwnAdviserRow(Table, table=True):
    """An officer who advises."""

    __tablename__ = "own_adviser"

    officer: str = _text(key=True)
    listed: OfficerListed = _json(OfficerListed)


class OwnAnnouncementRow(Table, table=True):
    """An announcement for the city to publish."""

    __tablename__ = "own_announcement"

    announcement_id: UUID = Field(primary_key=True)
    announcement: AnnouncementMade = _json(AnnouncementMade)
    stored_at: datetime = _instant()
    published_at: datetime | None = _instant(null=True)


class OwnArticleRow(Table, table=True):
    """A guidance article in force, as far as it has come here."""

    __tablename__ = "own_article"

    article_id: UUID = Field(primary_key=True)
    version: int
    article: GuidancePublished = _json(GuidancePublished)


# -- who asked who called


class OwnCallerQueryRow(Table, table=True):
    """A query of another office's officer for a caller that this city keeps; `readings`: how often it was read."""

    __tablename__ = "own_caller_query"
    __table_args__ = (Index("own_caller_query_asked", "asked_at", "request_id"),)

    request_id: UUID = Field(primary_key=True)
    contact_id: UUID
    asked_by: str = _text()
    authority: str = _text()
    service: ServiceName | None = _text(null=True)
    purpose: str = _text()
    asked_at: datetime = _instant()
    state: QueryState = Field(sa_column=Column(EnumText(QueryState), nullable=False))
    reason: str | None = _text(null=True)
    readable_until: datetime | None = _instant(null=True)
    refused_by: str | None = _text(null=True)
    readings: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    last_read_at: datetime | None = _instant(null=True)
