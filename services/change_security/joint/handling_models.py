"""What the joint office's API of joint matters takes and shows."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.change_security.domain.handling import SpecialistProfile
from services.change_security.joint.tables import HandlingRow, NoticeRow
from services.change_security.models import HandlingOut


class LeadIn(BaseModel):
    """The authority that a coordinator names as the lead."""

    authority: str = Field(min_length=1, max_length=60)
    reason: str = Field(min_length=3, max_length=500, description="Kept and shown. Write no personal data.")


class SpecialistIn(BaseModel):
    """The officer whom a coordinator names as the specialist, by the issuer's opaque id."""

    officer: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=3, max_length=500, description="Kept and shown. Write no personal data.")


class SpecialistOut(SpecialistProfile):
    """An officer whom a city lists for change security."""

    model_config = ConfigDict(from_attributes=True)

    officer: str
    authority: str


class HandlingChangeOut(BaseModel):
    """A handling and when it was put in force."""

    version: int
    at: datetime
    handling: HandlingOut | None

    @classmethod
    def of(cls, row: HandlingRow) -> "HandlingChangeOut":
        """Show a change."""
        return cls(version=row.version, at=row.at, handling=HandlingOut.of(row.handling))


class JointMatterLine(BaseModel):
    """A joint matter in a list."""

    notice_id: UUID
    arrived_at: datetime
    specialist_absent: bool = Field(description="Absent today, or listed no longer.")
    handling: HandlingOut | None

    @classmethod
    def of(cls, row: NoticeRow, *, specialist_absent: bool) -> "JointMatterLine":
        """Show a joint matter."""
        return cls(
            notice_id=row.notice_id,
            arrived_at=row.arrived_at,
            specialist_absent=specialist_absent,
            handling=HandlingOut.of(row.handling),
        )
