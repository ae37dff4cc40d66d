"""The table of what is handed over to a service, in the service's own schema; its migrations create it by `DDL`."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

from shared.database import EnumText


class HandOverState(StrEnum):
    """How far a hand-over is: stored here, then accepted or rejected by an officer."""

    STORED = "stored"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class HandOverRow(SQLModel, table=True):
    """A matter that advisory hands over."""

    metadata: ClassVar[MetaData] = MetaData()
    __tablename__ = "handed_over"
    __table_args__ = (Index("handed_over_open", "due_at", postgresql_where=text("state = 'stored'")),)

    hand_over_id: UUID = Field(primary_key=True)
    contact_id: UUID
    topic: str = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    municipality: str | None = Field(default=None, sa_type=Text)
    business_id: str | None = Field(default=None, sa_type=Text)
    from_authority: str = Field(sa_type=Text)
    due_at: datetime = Field(sa_type=DateTime(timezone=True))
    state: HandOverState = Field(sa_column=Column(EnumText(HandOverState), nullable=False))
    matter_id: UUID | None = None
    reason: str | None = Field(default=None, sa_type=Text)
    received_at: datetime = Field(sa_type=DateTime(timezone=True))
    answered_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    answered_by: str | None = Field(default=None, sa_type=Text)


DDL: Final = (
    """
    CREATE TABLE handed_over (
        hand_over_id uuid PRIMARY KEY,
        contact_id uuid NOT NULL,
        topic text NOT NULL,
        language text NOT NULL,
        municipality text,
        business_id text,
        from_authority text NOT NULL,
        due_at timestamptz NOT NULL,
        state text NOT NULL,
        matter_id uuid,
        reason text,
        received_at timestamptz NOT NULL,
        answered_at timestamptz,
        answered_by text
    )
    """,
    "CREATE INDEX handed_over_open ON handed_over (due_at) WHERE state = 'stored'",
)
