"""The list of a city's cases. Its filters are served by the indexes of `authority_case`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.change_security.domain.case import CaseState
from services.change_security.lists import Filters, conditions
from shared.store import Store

_LATE: Final = (
    "(state = 'open' AND (overdue IS NOT NULL"
    " OR (acknowledged_at IS NULL AND declined_at IS NULL AND coalesce(acknowledge_by < :now, false))))"
)


class ListedCase(NamedTuple):
    """A case in the list."""

    notice_id: UUID
    filer_reference: str | None
    state: str
    revision: int
    kind: str | None
    employer: str | None
    business_id: str | None
    not_public: bool | None
    affected: int | None
    terminations: int | None
    counts_complete: bool | None
    rules_of: date | None
    handling_mode: str
    competent_authority: str
    acting_authority: str
    specialist: str | None
    arrived_at: datetime | None
    registered_at: datetime | None
    stored_at: datetime
    acknowledge_by: datetime | None
    acknowledged_at: datetime | None
    declined_at: datetime | None
    overdue: str | None
    asked_because: str
    acknowledged_revision: int | None
    decline_reason: str | None
    late: bool
    declined: bool
    acknowledged: bool
    mine: bool


_COLUMNS: Final = ", ".join(ListedCase._fields[:-4])
_SAID: Final = {
    "late": _LATE,
    "declined": "(declined_at IS NOT NULL)",
    "acknowledged": "(acknowledged_at IS NOT NULL)",
    "mine": "coalesce(specialist = :subject, false)",
}


class CaseList(Store):
    """Cases as they are listed."""

    async def page(
        self,
        subject: str,
        filters: Filters,
        state: CaseState | None,
        specialist: str | None,
        limit: int,
        before: tuple[datetime, UUID] | None,
    ) -> Sequence[ListedCase]:
        """Return this authority's cases, newest first. `subject`: the officer whose own ones are marked."""
        wanted, values = conditions(filters)
        for name, value in (("state", state), ("specialist", specialist)):
            if value is not None:
                wanted.append(f"{name} = :{name}")
                values[name] = value
        wanted += [
            said if holds else f"NOT {said}"
            for name, said in _SAID.items()
            if (holds := getattr(filters, name)) is not None
        ]
        if before is not None:
            wanted.append("(stored_at, notice_id) < (:before_at, :before_id)")
            values |= {"before_at": before[0], "before_id": before[1]}
        said = ", ".join(f"{sql} AS {name}" for name, sql in _SAID.items())
        return await self._values(
            ListedCase,
            f"SELECT {_COLUMNS}, {said} FROM authority_case"  # noqa: S608 - constants
            f" WHERE {' AND '.join(wanted) or 'true'} ORDER BY stored_at DESC, notice_id DESC LIMIT :limit",
            **values,
            now=self._tx.clock.now(),
            subject=subject,
            limit=limit,
        )
