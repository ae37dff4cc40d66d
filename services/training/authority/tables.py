"""The tables of a city's side: its own applicants, their seat offers and invitations. Who they are never leaves it."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

from services.training.domain.own_application import OwnOfferState
from shared.database import EnumText, Json
from shared.events.v1.training import Application, ApplicationState, InvitationAnswer

metadata = MetaData()
"""This module's own: SQLModel's global one would mix the services' tables."""


def _instant(*, null: bool = False) -> Any:
    kind = DateTime(timezone=True)
    return Field(default=None, sa_type=kind, nullable=True) if null else Field(sa_type=kind)


def _text(*, null: bool = False) -> Any:
    return Field(default=None, sa_type=Text, nullable=True) if null else Field(sa_type=Text)


class _Table(SQLModel):
    metadata: ClassVar[MetaData] = metadata


class OwnApplicationRow(_Table, table=True):
    """An application of one of the city's own people.

    `applicant_id` is None until an officer has entered whose it is, after a transfer from another city. `moved_to`: the
    city in which it goes on. `position` and `estimated_start` are as of `place_as_of`; they count only while it waits.
    """

    __tablename__ = "own_application"
    __table_args__ = (
        Index(
            "own_application_once",
            "applicant_id",
            "course_id",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'offered', 'accepted') AND moved_to IS NULL"),
        ),
    )

    application_id: UUID = Field(primary_key=True)
    applicant_id: str | None = _text(null=True)
    course_id: UUID
    application: Application = Field(sa_column=Column(Json(Application), nullable=False))
    assessment: dict[str, int] = Field(sa_column=Column(Json(dict[str, int]), nullable=False))
    state: ApplicationState = Field(sa_column=Column(EnumText(ApplicationState), nullable=False))
    group_id: UUID | None = None
    version: int
    reason: str = _text()
    moved_to: str | None = _text(null=True)
    received_by: str = _text()
    received_at: datetime = _instant()
    position: int | None = None
    estimated_start: date | None = None
    place_as_of: datetime | None = _instant(null=True)


class OwnOfferRow(_Table, table=True):
    """A seat offer to one of the city's own people."""

    __tablename__ = "own_offer"
    __table_args__ = (Index("own_offer_open", "answer_by", postgresql_where=text("state = 'open'")),)

    offer_id: UUID = Field(primary_key=True)
    application_id: UUID = Field(foreign_key="own_application.application_id")
    group_id: UUID
    starts_on: date
    answer_by: datetime = _instant()
    reason: str = _text()
    state: OwnOfferState = Field(sa_column=Column(EnumText(OwnOfferState), nullable=False))
    answered_at: datetime | None = _instant(null=True)


class OwnInvitationRow(_Table, table=True):
    """An invitation to one of the city's own people, by the reference that its jobseeker pool gave."""

    __tablename__ = "own_invitation"

    invitation_id: UUID = Field(primary_key=True)
    group_id: UUID
    course_id: UUID
    reference: str = _text()
    invited_at: datetime = _instant()
    answer: InvitationAnswer | None = Field(default=None, sa_column=Column(EnumText(InvitationAnswer)))
    answered_at: datetime | None = _instant(null=True)
    answered_by: str | None = _text(null=True)
