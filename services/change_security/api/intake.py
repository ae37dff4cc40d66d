"""What both sides' intake has in common: what is refused before anything is recorded."""

import hashlib
from datetime import datetime
from uuid import UUID

from fastapi import Request, Response

from services.change_security.api.models import NoticeIn
from services.change_security.commands import check
from services.change_security.domain.matter import ConflictError
from services.change_security.store import Notices
from shared.errors import RefusedError
from shared.events.v1.change_security import Filing
from shared.http import FieldProblem, ProblemError, not_found
from shared.identity import Officer, System
from shared.messaging.transaction import Transaction


def checked(filing: Filing) -> Filing:
    """Return the filing unless it is refused.

    Raises:
        ProblemError: 422, saying which field.
    """
    try:
        check(filing)
    except RefusedError as error:
        fields = [FieldProblem(pointer=f"/filing{error.pointer}", code=error.code)]
        raise ProblemError(422, error.code, error.text, errors=fields) from error
    return filing


def arrival(notice: NoticeIn, who: Officer | System, now: datetime) -> datetime:
    """Return when the filing first reached an authority: now, or earlier if an officer registers it afterwards."""
    if notice.arrived_at is None:
        return now
    if not isinstance(who, Officer):
        raise _wrong_arrival("only-an-officer-tells")
    if notice.arrived_at > now:
        raise _wrong_arrival("in-the-future")
    return notice.arrived_at


def _wrong_arrival(code: str) -> ProblemError:
    fields = [FieldProblem(pointer="/arrived_at", code=code)]
    return ProblemError(422, "wrong-arrival", "The time of arrival cannot be so.", errors=fields)


def conflict(error: ConflictError) -> ProblemError:
    """Return the problem of a change that does not fit."""
    if error.code == "unknown_authority":
        return not_found("authority")
    return ProblemError(409, error.code.replace("_", "-"), "The change does not fit the notice.", error.text)


async def answered_before(
    request: Request, response: Response, tx: Transaction, who: Officer | System, key: str | None, notice_id: UUID
) -> UUID | None:
    """Return the notice that the same request made before, if it was sent before; else remember this one.

    Raises:
        ProblemError: 422, the key was used with another body.
    """
    if key is None:
        return None
    told = hashlib.sha256(await request.body()).hexdigest()
    before = await Notices(tx).remember_request(who.actor, key, told, notice_id)
    if before is None:
        return None
    if before.request_hash != told:
        raise ProblemError(422, "idempotency-key-reused", "The key was used before with another body.")
    response.headers["Idempotent-Replayed"] = "true"
    return before.notice_id
