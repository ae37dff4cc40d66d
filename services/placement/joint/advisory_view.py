"""What advisory may know of vacancies and of the work on them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.events.v1.advisory import Fact, Withheld, WorkDone
from shared.events.v1.placement import VacancyState
from shared.handover.store import NEWEST_FACTS
from shared.store import Store


@dataclass(frozen=True, slots=True)
class _Reported:
    vacancy_id: UUID
    state: VacancyState
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class _Requested:
    authority: str
    referrals: int


class ForAdvisory(Store):
    """Answers advisory from the joint office's store."""

    async def facts(self, business_id: str, _authority: str) -> tuple[list[Fact], list[Withheld]]:
        """Return an employer's newest vacancies, oldest first: everyone may see that they were reported."""
        rows = await self._values(
            _Reported,
            "SELECT vacancy_id, state, changed_at FROM vacancy"
            " WHERE vacancy #>> '{employer,business_id}' = :business_id AND state <> 'draft'"
            " ORDER BY changed_at DESC, vacancy_id DESC LIMIT :limit",
            business_id=business_id,
            limit=NEWEST_FACTS,
        )
        facts = [
            Fact(matter_id=row.vacancy_id, what="vacancy", state=row.state, at=row.changed_at) for row in reversed(rows)
        ]
        return facts, []

    async def work(self, since: datetime, until: datetime) -> list[WorkDone]:
        """Return how many referrals each authority requested."""
        rows = await self._values(
            _Requested,
            "SELECT requesting_authority AS authority, count(*) AS referrals FROM referral"
            " WHERE requested_at >= :since AND requested_at < :until GROUP BY 1 ORDER BY 1",
            since=since,
            until=until,
        )
        return [WorkDone(task="placement", authority=row.authority, acts=row.referrals) for row in rows]
