"""What the joint office does with vacancies and assignments, each inside one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.placement.catalogue import checked_group
from services.placement.domain import vacancy as lifecycle
from services.placement.domain.vacancy import Change, Posting
from services.placement.joint.store import Assignment, Assignments, Vacancies
from services.placement.joint.tables import AssignmentRow, PoolAnswerRow
from shared.calendar import local_day
from shared.errors import ConflictError, UnknownError, UnprocessableError
from shared.events.envelope import derived_id
from shared.events.v1.change_security import Occupation
from shared.events.v1.placement import (
    CandidatesAnswered,
    CandidatesGathered,
    CandidatesRequested,
    OwnPoolAsked,
    Vacancy,
    VacancyRegistered,
    VacancyState,
    VacancyStatusSubmitted,
    VacancySubmitted,
    VacancyTaken,
)
from shared.events.v1.training import CandidatesWanted
from shared.messaging.transaction import Transaction
from shared.telemetry import current_trace_id


class JointVacancies:
    """Vacancies and what everyone may see of them."""

    async def report(self, tx: Transaction, vacancy: Vacancy, state: VacancyState, filed_by: str) -> Posting:
        """Report a new vacancy.

        Raises:
            RefusedError: a value is not valid, or the occupation is not known.
        """
        vacancy_id = derived_id("vacancy", tx.cause)
        group = await checked_group(tx, vacancy.occupation, "/vacancy/occupation")
        return await self._carry_out(tx, lifecycle.report(vacancy_id, vacancy, group, state, filed_by, tx.clock.now()))

    async def revise(
        self, tx: Transaction, vacancy_id: UUID, vacancy: Vacancy, predecessor: int, reporter: str | None
    ) -> Posting:
        """Put a new revision in force. `reporter`: the system that does so, of a vacancy of its own; None: an officer.

        Raises:
            UnknownError: there is no such vacancy, or another system reported it.
            RefusedError, ConflictError: as `domain.vacancy.revise`.
        """
        posting = await self._locked(tx, vacancy_id, reporter)
        group = await checked_group(tx, vacancy.occupation, "/vacancy/occupation")
        return await self._carry_out(tx, lifecycle.revise(posting, vacancy, group, predecessor, tx.clock.now()))

    async def move(self, tx: Transaction, vacancy_id: UUID, state: VacancyState, reporter: str | None) -> Posting:
        """Change a vacancy's state. `reporter`: as in `revise`.

        Raises:
            UnknownError: there is no such vacancy, or another system reported it.
            ConflictError: the state does not follow from the present one.
        """
        posting = await self._locked(tx, vacancy_id, reporter)
        return await self._carry_out(tx, lifecycle.move(posting, state, tx.clock.now()))

    async def submit(self, tx: Transaction, event: VacancySubmitted, system: str) -> None:
        """Take in a vacancy that another system reports by message, or a revision of one that it reported.

        Raises:
            UnprocessableError: another system reported it.
            UnknownError, RefusedError, ConflictError: as `domain.vacancy.submit`.
        """
        posting = await Vacancies(tx).lock(event.vacancy_id)
        if posting is not None:
            _check_submitter(posting, system)
        group = await checked_group(tx, event.vacancy.occupation, "/vacancy/occupation")
        await self._carry_out(tx, lifecycle.submit(posting, event, group, system, tx.clock.now()))

    async def submit_state(self, tx: Transaction, event: VacancyStatusSubmitted, system: str) -> None:
        """Open, pause, fill or withdraw a vacancy that the same system reported by message.

        Raises:
            UnprocessableError: another system reported it.
            UnknownError, ConflictError: as `move`.
        """
        posting = await self._locked(tx, event.vacancy_id, None)
        _check_submitter(posting, system)
        await self._carry_out(tx, lifecycle.move(posting, event.status, tx.clock.now()))

    async def fill(self, tx: Transaction, vacancy_id: UUID, places: int) -> None:
        """Fill a position of a vacancy, or free it again (-1); with the last one the vacancy is filled.

        Raises:
            UnknownError: there is no such vacancy.
            ConflictError: all positions are filled.
        """
        if places:
            posting = await self._locked(tx, vacancy_id, None)
            decide = lifecycle.fill if places > 0 else lifecycle.vacate
            await self._carry_out(tx, decide(posting, tx.clock.now()))

    async def register(self, tx: Transaction, event: VacancyTaken) -> None:
        """Register a vacancy that a city took in itself, and tell the city so.

        Raises:
            RefusedError: a value is not valid, or the occupation is not known.
        """
        if await Vacancies(tx).lock(event.vacancy_id) is None:
            now = tx.clock.now()
            group = await checked_group(tx, event.vacancy.occupation, "/vacancy/occupation")
            filed_by = f"office:{event.office}"
            change = lifecycle.report(event.vacancy_id, event.vacancy, group, VacancyState.OPEN, filed_by, now)
            await self._carry_out(tx, change)
            tx.publish(VacancyRegistered(vacancy_id=event.vacancy_id, registered_at=now), to=event.office)

    async def expire(self, tx: Transaction) -> int:
        """Expire the vacancies whose last day has passed; return how many."""
        past = await Vacancies(tx).past(local_day(tx.clock.now()))
        for posting in past:
            await self._carry_out(tx, lifecycle.move(posting, VacancyState.EXPIRED, tx.clock.now()))
        return len(past)

    async def _locked(self, tx: Transaction, vacancy_id: UUID, reporter: str | None) -> Posting:
        posting = await Vacancies(tx).lock(vacancy_id)
        if posting is None or (reporter is not None and posting.filed_by != reporter):
            raise UnknownError("vacancy")
        return posting

    async def _carry_out(self, tx: Transaction, change: Change) -> Posting:
        if await Vacancies(tx).save(change.posting):
            for event in change.events:
                tx.publish(event)
        return change.posting


def _check_submitter(posting: Posting, system: str) -> None:
    if posting.filed_by != system:
        raise UnprocessableError("the vacancy was reported by another system", "not-the-submitter")


@dataclass(frozen=True, slots=True)
class JointAssignments:
    """Recruitment assignments.

    Attributes:
        offices: the cities whose pools are asked.
        answer_within: how long they have to answer, if an assignment does not say.
    """

    offices: Sequence[str]
    answer_within: timedelta

    async def ask(
        self,
        tx: Transaction,
        vacancy_id: UUID,
        *,
        at_most: int,
        asked_by: str,
        answer_within: timedelta | None,
        refreshes: UUID | None = None,
    ) -> Assignment:
        """Ask every city's pool for candidates. `refreshes`: the assignment that is asked again.

        Raises:
            UnknownError: there is no such vacancy.
            ConflictError: the vacancy is not open.
        """
        posting = await Vacancies(tx).read(vacancy_id)
        if posting is None:
            raise UnknownError("vacancy")
        now = tx.clock.now()
        row = AssignmentRow(
            assignment_id=derived_id("assignment", tx.cause),
            vacancy_id=vacancy_id,
            wanted=lifecycle.wanted(posting),
            at_most=at_most,
            asked_by=asked_by,
            asked_at=now,
            answer_by=now + (answer_within or self.answer_within),
            trace_id=current_trace_id(),
            refreshes=refreshes,
        )
        return self._request(tx, row, self.offices)

    async def refresh(self, tx: Transaction, assignment_id: UUID, *, asked_by: str) -> Assignment:
        """Ask the pools again, as the vacancy and the pools now are. The older assignment stays as it was answered.

        Raises:
            UnknownError: there is no such assignment.
            ConflictError: it is a training group's, or the vacancy is not open.
        """
        assignment = await Assignments(tx).read(assignment_id)
        if assignment is None:
            raise UnknownError("assignment")
        row = assignment.row
        if row.vacancy_id is None:
            raise ConflictError("invalid-state", "The candidates of a training group are asked for by training.")
        return await self.ask(
            tx,
            row.vacancy_id,
            at_most=row.at_most,
            asked_by=asked_by,
            answer_within=row.answer_by - row.asked_at,
            refreshes=assignment_id,
        )

    async def gather(self, tx: Transaction, event: CandidatesWanted) -> None:
        """Ask every city's pool for candidates of a training group, once for each request.

        Raises:
            RefusedError: the occupation is not known.
        """
        assignment_id = derived_id("gather", event.request_id)
        if await Assignments(tx).read(assignment_id) is not None:
            return
        now = tx.clock.now()
        group = await checked_group(tx, event.wanted.occupation, "/wanted/occupation")
        occupation = Occupation(scheme="ISCO-08", code=group, label=event.wanted.occupation.label)
        row = AssignmentRow(
            assignment_id=assignment_id,
            wanted=event.wanted.model_copy(update={"occupation": occupation}),
            at_most=event.at_most,
            asked_by="service:training",
            asked_at=now,
            answer_by=now + self.answer_within,
            trace_id=current_trace_id(),
            group_id=event.group_id,
            request_id=event.request_id,
        )
        self._request(tx, row, self.offices)

    async def complete(self, tx: Transaction, event: OwnPoolAsked) -> None:
        """Take over an assignment that a city ran over its own pool, and ask the other pools if the vacancy is open.

        Raises:
            UnknownError: the vacancy is not registered.
        """
        posting = await Vacancies(tx).read(event.vacancy_id)
        if posting is None:
            raise UnknownError("vacancy")
        if await Assignments(tx).read(event.assignment_id) is not None:
            return
        now = tx.clock.now()
        row = AssignmentRow(
            assignment_id=event.assignment_id,
            vacancy_id=event.vacancy_id,
            wanted=event.wanted,
            at_most=event.at_most,
            asked_by=f"office:{event.office}",
            asked_at=event.asked_at,
            answer_by=now + self.answer_within,
            trace_id=current_trace_id(),
        )
        own = PoolAnswerRow(
            assignment_id=row.assignment_id,
            office=event.office,
            answered_at=event.asked_at,
            received_at=now,
            considered=event.considered,
            candidates=event.candidates,
            stages=event.stages,
        )
        is_open = posting.state is VacancyState.OPEN
        self._request(tx, row, [office for office in self.offices if office != event.office and is_open], own)

    async def enter_answer(self, tx: Transaction, event: CandidatesAnswered) -> None:
        """Enter a pool's answer, in time or late; one for a training group goes on to it.

        Raises:
            UnprocessableError: that pool was not asked.
        """
        solicited = await Assignments(tx).enter_answer(event)
        if solicited is None:
            raise UnprocessableError("that pool was not asked", "unsolicited-answer")
        if solicited.is_first and solicited.group_id is not None and solicited.request_id is not None:
            tx.publish(
                CandidatesGathered(
                    group_id=solicited.group_id,
                    request_id=solicited.request_id,
                    office=event.office,
                    considered=event.considered,
                    candidates=event.candidates,
                )
            )

    def _request(
        self, tx: Transaction, row: AssignmentRow, offices: Sequence[str], *answered: PoolAnswerRow
    ) -> Assignment:
        asked = [PoolAnswerRow(assignment_id=row.assignment_id, office=office) for office in sorted(offices)]
        assignment = Assignment(row, [*answered, *asked])
        Assignments(tx).add(assignment)
        event = CandidatesRequested(
            assignment_id=row.assignment_id,
            wanted=row.wanted,
            at_most=row.at_most,
            answer_by=row.answer_by,
            as_of=local_day(row.asked_at),
        )
        for office in offices:
            tx.publish(event, to=office)
        return assignment
