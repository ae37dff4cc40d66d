"""What a city's API of acting for another takes and shows."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.change_security.authority.tables import CaseActRow
from services.change_security.domain.acting import ground_explained
from services.change_security.domain.case import CaseAct
from services.change_security.models import MessageOut


class ActingIn(BaseModel):
    """Who is to act for whom: the own authority for another, or another for the own."""

    competent_authority: str = Field(min_length=1, max_length=60)
    acting_authority: str = Field(min_length=1, max_length=60)
    reason: str = Field(min_length=3, max_length=500, description="Kept and passed on. Write no personal data.")


class AnswerIn(BaseModel):
    """Consent, or refusal with a reason."""

    accepted: bool
    reason: str | None = Field(default=None, min_length=3, max_length=500, description="Of a refusal.")


class EndIn(BaseModel):
    """Why it ends."""

    reason: str = Field(min_length=3, max_length=500, description="Kept and passed on. Write no personal data.")


class CaseActOut(BaseModel):
    """An officer's act in a case: in whose competence, for which authority, on what ground."""

    id: int
    notice_id: UUID
    act: CaseAct
    detail: str | None
    competent_authority: str
    acting_authority: str
    officer: str
    ground: MessageOut
    acting_id: UUID | None = Field(description="What let another authority's officer act.")
    at: datetime

    @classmethod
    def of(cls, row: CaseActRow) -> "CaseActOut":
        """Show an act."""
        return cls(
            id=row.id or 0,
            notice_id=row.notice_id,
            act=row.act,
            detail=row.detail,
            competent_authority=row.competent_authority,
            acting_authority=row.acting_authority,
            officer=row.officer,
            ground=MessageOut.of(ground_explained(row.legal_ground)),
            acting_id=row.acting_id,
            at=row.at,
        )
