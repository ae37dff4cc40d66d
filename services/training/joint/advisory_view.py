"""What advisory may know of proposals, and of the work on applications and groups."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.events.v1.advisory import Fact, Withheld, WorkDone
from shared.handover.store import NEWEST_FACTS
from shared.store import Store


@dataclass(frozen=True, slots=True)
class _Proposed:
    proposal_id: UUID
    kind: str
    state: str
    proposed_at: datetime


@dataclass(frozen=True, slots=True)
class _Work:
    authority: str
    task: str
    n: int


class ForAdvisory(Store):
    """Answers advisory from the joint office's store."""

    async def facts(
        self,
        business_id: str,
        authority: str,  # noqa: ARG002 - the three authorities procure jointly: none is kept from any of them
    ) -> tuple[list[Fact], list[Withheld]]:
        """Return an employer's newest proposals, oldest first."""
        rows = await self._values(
            _Proposed,
            "SELECT proposal_id, proposed ->> 'kind' AS kind, coalesce(course_group.state, proposal.state) AS state,"
            " proposed_at FROM proposal LEFT JOIN course_group USING (group_id)"
            " WHERE proposed ->> 'business_id' = :business_id ORDER BY proposed_at DESC, proposal_id DESC LIMIT :limit",
            business_id=business_id,
            limit=NEWEST_FACTS,
        )
        facts = [
            Fact(matter_id=row.proposal_id, what=row.kind, state=row.state, at=row.proposed_at)
            for row in reversed(rows)
        ]
        return facts, []

    async def work(self, since: datetime, until: datetime) -> list[WorkDone]:
        """Return how many decisions each authority's officers made, on training and on coaching."""
        rows = await self._values(
            _Work,
            "SELECT acting_authority AS authority, CASE WHEN course ->> 'kind' LIKE '%coaching' THEN 'coaching'"
            " ELSE 'training' END AS task, count(*) AS n FROM decision"
            " LEFT JOIN application ON application_id = subject_id"
            " LEFT JOIN course_group ON course_group.group_id = subject_id"
            " LEFT JOIN course ON course.course_id = coalesce(application.course_id, course_group.course_id)"
            " WHERE acting_authority IS NOT NULL AND at >= :since AND at < :until GROUP BY 1, 2 ORDER BY 1, 2",
            since=since,
            until=until,
        )
        return [WorkDone(task=row.task, authority=row.authority, acts=row.n) for row in rows]
