"""One authority acts in another's part: asked for or offered, consented to, ended by either side.

    asked ──► in_force ──► ended
      └─────► refused        └── by either side, or by rule when the notice no longer concerns the competent authority

A state only moves forward, so that whatever order messages come in, both sides and the joint office end alike. The
competence never moves; the ground is the other side's consent, or a standing delegation.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.change_security.domain.agreed import Agreed
from services.change_security.domain.calendar import business_days_after
from services.change_security.domain.rules import RuleTable
from services.change_security.domain.texts import Message, message
from shared.calendar import local_day
from shared.errors import ConflictError, ForbiddenError, RefusedError
from shared.events.v1.change_security import Acting, ActingState, LegalGround

RULE: Final = "rule"
"""By whom, where no officer decided."""

_ORDER: Final = {state: place for place, state in enumerate(ActingState)}
OPEN: Final = (ActingState.ASKED, ActingState.IN_FORCE)
"""The states in which something may still happen."""


@dataclass(frozen=True, slots=True)
class CaseOfficer:
    """Who acts in a case: for which authority, and on what ground."""

    officer: str
    authority: str
    legal_ground: LegalGround = LegalGround.OWN_COMPETENCE
    acting_id: UUID | None = None

    @property
    def is_of_another(self) -> bool:
        """Whether the officer acts for another authority than the own one."""
        return self.acting_id is not None


def ask(
    acting_id: UUID,
    asked_by: str,
    competent: str,
    acting: str,
    reason: str,
    at: datetime,
    network: frozenset[str],
    rules: RuleTable,
) -> Acting:
    """Ask to act for another authority, or offer the own part to another.

    Raises:
        RefusedError: not between the asking authority and one other of the region.
    """
    if competent == acting or asked_by not in {competent, acting} or not network.issuperset({competent, acting}):
        text = "It is between the own authority and one other of the region."
        raise RefusedError("/competent_authority", "own-and-one-other", text)
    return Acting(
        acting_id=acting_id,
        competent_authority=competent,
        acting_authority=acting,
        state=ActingState.ASKED,
        asked_by=asked_by,
        reason=reason,
        asked_at=at,
        answer_by=business_days_after(at, rules.value("acting_answered_within", local_day(at))),
    )


def answer(acting: Acting, authority: str, officer: str, at: datetime, *, reason: str | None, accepted: bool) -> Acting:
    """Consent, or refuse. Repeating the same answer changes nothing.

    Raises:
        ForbiddenError: the authority is not the one that was asked.
        ConflictError: it was answered otherwise, or has ended.
    """
    if authority == acting.asked_by or authority not in {acting.competent_authority, acting.acting_authority}:
        raise ForbiddenError("unsolicited-answer", "Only the authority that was asked answers.")
    state = ActingState.IN_FORCE if accepted else ActingState.REFUSED
    if acting.state is state:
        return acting
    if acting.state is not ActingState.ASKED:
        raise ConflictError("invalid-state", f"It is {acting.state}.")
    answered = {"state": state, "answered_by": officer, "answered_at": at}
    if accepted:
        return acting.model_copy(update=answered | {"legal_ground": LegalGround.CONSENT})
    return acting.model_copy(update=answered | {"ended_by": authority, "end_reason": reason, "ended_at": at})


def end(acting: Acting, ended_by: str, reason: str, at: datetime) -> Acting:
    """End it, or take a request back. Repeating it changes nothing.

    Raises:
        ForbiddenError: it is between two other authorities.
        ConflictError: it was refused.
    """
    if ended_by not in {acting.competent_authority, acting.acting_authority, RULE}:
        raise ForbiddenError("other-authority", "Only the two authorities may end it.")
    if acting.state is ActingState.ENDED:
        return acting
    if acting.state is ActingState.REFUSED:
        raise ConflictError("invalid-state", "It was refused.")
    return acting.model_copy(
        update={"state": ActingState.ENDED, "ended_by": ended_by, "end_reason": reason, "ended_at": at}
    )


def merge(known: Acting | None, heard: Acting) -> Acting:
    """Return the later of two: a state only moves forward; of two alike the first stands."""
    if known is None or _ORDER[heard.state] > _ORDER[known.state]:
        return heard
    return known


def report(known: Acting | None, heard: Acting, authority: str, agreed: Agreed, at: datetime) -> Acting:
    """Take in at the joint office what an authority reports, and return what both sides hear.

    A standing delegation of the day stands for the consent.

    Raises:
        ForbiddenError: the authority speaks where only the other one may.
    """
    sides = {heard.competent_authority, heard.acting_authority}
    same = known is None or (known.competent_authority, known.acting_authority, known.asked_by) == (
        heard.competent_authority,
        heard.acting_authority,
        heard.asked_by,
    )
    if not same or authority not in sides or heard.asked_by not in sides:
        raise ForbiddenError("other-authority", "An authority speaks of its own acting alone.")
    if heard.state is ActingState.ASKED and authority != heard.asked_by:
        raise ForbiddenError("other-authority", "An authority asks for itself.")
    if heard.state in {ActingState.IN_FORCE, ActingState.REFUSED} and authority == heard.asked_by:
        raise ForbiddenError("unsolicited-answer", "Only the authority that was asked answers.")
    merged = merge(known, heard)
    if merged.state is not ActingState.ASKED:
        return merged
    delegation = agreed.delegation(merged.competent_authority, merged.acting_authority, local_day(at))
    if delegation is None:
        return merged
    return merged.model_copy(
        update={
            "state": ActingState.IN_FORCE,
            "answered_at": at,
            "legal_ground": LegalGround.DELEGATION,
            "ground_source": delegation.source,
        }
    )


def ground_explained(ground: LegalGround) -> Message:
    """Say on what ground an officer acts."""
    return message(ground)
