"""The table of what is handed over to a service, in the service's own schema; its migrations create it by `DDL`."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

from shared.database import EnumText, Json


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
    why: str | None = Field(default=None, sa_type=Text)
    draft_id: UUID | None = None


class DraftState(StrEnum):
    """What became of a draft."""

    OPEN = "open"
    COMPLETED = "completed"
    DISCARDED = "discarded"


class DraftRow(SQLModel, table=True):
    """The draft that a service makes of a matter: what is known of it, for an officer to complete."""

    metadata: ClassVar[MetaData] = HandOverRow.metadata
    __tablename__ = "draft"
    __table_args__ = (
        Index("draft_hand_over", "hand_over_id", unique=True),
        Index("draft_open", "due_at", "draft_id", postgresql_where=text("state = 'open'")),
    )

    draft_id: UUID = Field(primary_key=True)
    hand_over_id: UUID = Field(foreign_key="handed_over.hand_over_id")
    contact_id: UUID
    content: dict[str, Any] = Field(sa_column=Column(Json(dict[str, Any]), nullable=False))
    reason: str | None = Field(default=None, sa_type=Text)
    due_at: datetime = Field(sa_type=DateTime(timezone=True))
    made_at: datetime = Field(sa_type=DateTime(timezone=True))
    state: DraftState = Field(sa_column=Column(EnumText(DraftState), nullable=False))
    matter_id: UUID | None = None
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    ended_by: str | None = Field(default=None, sa_type=Text)
    end_reason: str | None = Field(default=None, sa_type=Text)
    saved_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    saved_by: str | None = Field(default=None, sa_type=Text)


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

DRAFTS_DDL: Final = (
    "ALTER TABLE handed_over ADD COLUMN why text, ADD COLUMN draft_id uuid",
    """
    CREATE TABLE draft (
        draft_id uuid PRIMARY KEY,
        hand_over_id uuid NOT NULL REFERENCES handed_over,
        contact_id uuid NOT NULL,
        content jsonb NOT NULL,
        reason text,
        due_at timestamptz NOT NULL,
        made_at timestamptz NOT NULL,
        state text NOT NULL,
        matter_id uuid,
        ended_at timestamptz,
        ended_by text,
        end_reason text
    )
    """,
    "CREATE UNIQUE INDEX draft_hand_over ON draft (hand_over_id)",
    "CREATE INDEX draft_open ON draft (due_at, draft_id) WHERE state = 'open'",
)
"""What a service's later migration adds, so that a matter becomes a draft."""

SAVED_DDL: Final = ("ALTER TABLE draft ADD COLUMN saved_at timestamptz, ADD COLUMN saved_by text",)
"""What a later migration adds, so that a draft can be saved half-filled."""
