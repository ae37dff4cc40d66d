"""What the joint office asks every service, and puts together: an employer's timeline, the resourcing review."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.advisory.domain.contact import check_business_id
from services.advisory.domain.resources import Review, WorkQuestion, check_question, review
from services.advisory.domain.timeline import Matter, Timeline, TimelineQuestion, timeline
from services.advisory.joint.commands import JointResources
from services.advisory.joint.store import Contacts, GivenTitle, Guidance, Questions
from services.advisory.joint.tables import AnswerRow, QuestionRow
from shared.agreement import Agreements
from shared.errors import UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.advisory import ServiceName, TimelineAnswered, TimelineRequested, WorkReported, WorkRequested
from shared.identity import Officer
from shared.messaging.transaction import Transaction

SERVICES: Final[tuple[ServiceName, ...]] = ("change_security", "placement", "training")


@dataclass(frozen=True)
class EmployersTimeline:
    """A timeline as far as services have answered, and which guidance the employer was given."""

    business_id: str
    shown: Timeline
    given: list[GivenTitle]
    missing_services: list[str]


class JointTimelines:
    """Employers' timelines, asked of every service."""

    async def ask(self, tx: Transaction, business_id: str, officer: Officer) -> UUID:
        """Ask every service what it has of an employer, as far as the officer's authority may see it; return the id.

        Raises:
            RefusedError: the business id is not valid.
        """
        check_business_id(business_id)
        request_id = derived_id("timeline", tx.cause)
        question = TimelineQuestion(business_id=business_id, authority=officer.authority)
        _ask(tx, request_id, "timeline", question, officer.actor)
        event = TimelineRequested(request_id=request_id, business_id=business_id, for_authority=officer.authority)
        tx.publish(event)
        return request_id

    async def read(self, tx: Transaction, request_id: UUID, authority: str) -> EmployersTimeline:
        """Return what has been answered so far to an authority that asked.

        Raises:
            UnknownError: it asked no such timeline.
        """
        row = await Questions(tx).get(request_id)
        if row is None or not isinstance(row.question, TimelineQuestion) or row.question.authority != authority:
            raise UnknownError("timeline")
        answers = await Questions(tx).answers(request_id)
        business_id = row.question.business_id
        matters = [
            Matter(
                contact_id=contact.contact_id,
                topic=contact.topic,
                state=contact.state,
                received_at=contact.received_at,
                competent_authority=contact.competent_authority,
                acting_authority=contact.acting_authority,
            )
            for contact in await Contacts(tx).of_employer(business_id)
        ]
        received = [row.answer for row in answers if isinstance(row.answer, TimelineAnswered)]
        return EmployersTimeline(
            business_id=business_id,
            shown=timeline(authority, matters, received),
            given=await Guidance(tx).given_to(business_id),
            missing_services=_missing(answers),
        )


@dataclass(frozen=True)
class JointReviews:
    """Resourcing reviews: every service's acts of handling against what was agreed."""

    resources: JointResources

    async def ask(self, tx: Transaction, question: WorkQuestion, by: str) -> UUID:
        """Ask every service for its acts of handling; return the request's id.

        Raises:
            RefusedError: the last day is before the first.
        """
        check_question(question)
        request_id = derived_id("review", tx.cause)
        _ask(tx, request_id, "work", question, by)
        tx.publish(WorkRequested(request_id=request_id, since=question.since, until=question.until))
        return request_id

    async def read(self, tx: Transaction, request_id: UUID) -> Review:
        """Compare agreed with actual, as far as services have answered.

        Raises:
            UnknownError: no such review.
        """
        row = await Questions(tx).get(request_id)
        if row is None or not isinstance(row.question, WorkQuestion):
            raise UnknownError("review")
        answers = await Questions(tx).answers(request_id)
        in_force = (await Agreements(tx).figures()).at(row.question.until)
        acts: dict[str, dict[str, int]] = {"advisory": await Contacts(tx).answered(*row.question.instants)}
        for answered in answers:
            for done in answered.answer.done if isinstance(answered.answer, WorkReported) else ():
                acts.setdefault(done.task, {})[done.authority] = done.acts
        return review(
            row.question,
            await self.resources.every(tx),
            in_force.version.agreement.shares if in_force.version is not None else (),
            acts,
            sorted(self.resources.authorities),
            _missing(answers),
        )


def _ask(tx: Transaction, request_id: UUID, kind: str, question: TimelineQuestion | WorkQuestion, by: str) -> None:
    row = QuestionRow(request_id=request_id, kind=kind, question=question, asked_by=by, asked_at=tx.clock.now())
    Questions(tx).ask(row, SERVICES)


def _missing(answers: Sequence[AnswerRow]) -> list[str]:
    return [row.service for row in answers if row.answer is None]


async def enter_reply(tx: Transaction, event: TimelineAnswered | WorkReported) -> bool:
    """Enter a service's answer to what it was asked; the first one counts. False when it was not asked."""
    row = await Questions(tx).answer(event.request_id, event.service)
    if row is None:
        return False
    if row.answer is None:
        row.answer, row.received_at = event, tx.clock.now()
    return True
