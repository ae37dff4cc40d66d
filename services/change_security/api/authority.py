"""A city's own API: its cases, its officers' work, and filings that it registers itself, also while the joint office
is away. Notes never leave this office.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request, Response, status

from services.change_security.api import models
from services.change_security.api.intake import answered_before, arrival, checked
from services.change_security.domain.case import CaseStatus, CheckItem, Step, StepState, check_message, course
from services.change_security.domain.filing import masked, missing
from services.change_security.domain.rules import RuleTable, assess
from services.change_security.domain.texts import TEXTS
from services.change_security.store import Cases, NewCase
from services.change_security.tables import CaseRow
from shared import topics
from shared.calendar import local_day
from shared.events.envelope import Event, derived_id
from shared.events.v1.change_security import (
    CaseClosed,
    Filing,
    HandlingMode,
    NoticeAcknowledged,
    NoticeDeclined,
    NoticeFiled,
    NoticeTaken,
    NoticeWithdrawalFiled,
    Reason,
    ReasonKind,
)
from shared.http import (
    Caller,
    Cursor,
    IdempotencyKey,
    Limit,
    Page,
    ProblemError,
    not_found,
    permit_officer,
    permit_system,
    read_cursor,
    tagged,
    write_cursor,
)
from shared.identity import Officer, System
from shared.intake import without_identity_codes
from shared.messaging.transaction import Transaction, Writer
from shared.telemetry import current_trace_id


def router(rules: RuleTable, writer: Writer, authority: str, network: frozenset[str]) -> APIRouter:
    """Make a city's routes.

    Args:
        rules: the dated rules.
        writer: opens transactions on the city's own database.
        authority: the city's authority; only its officers work here.
        network: all authorities of the region, whose parts one may take.
    """
    routes = APIRouter(prefix="/v1", tags=["cases"])

    def officer(who: Caller) -> Officer:
        return permit_officer(who, frozenset({authority}), "officer", "coordinator")

    OwnOfficer = Annotated[Officer, Depends(officer)]  # noqa: N806 - a type

    def tell(tx: Transaction, event: Event) -> None:
        tx.publish(event, to=topics.CHANGE_SECURITY_FROM, office=tx.office)

    @asynccontextmanager
    async def changing(notice_id: UUID, *, act: str, by: Officer) -> AsyncIterator[tuple[Transaction, CaseRow]]:
        cause = derived_id(act, notice_id, by.subject, writer.clock.now())
        async with writer.transaction(cause) as tx:
            case = await Cases(tx).lock(notice_id)
            if case is None:
                raise not_found("case")
            yield tx, case

    def must_be_open(case: CaseRow) -> None:
        if case.status != CaseStatus.OPEN:
            raise ProblemError(409, "not-open", "The case is not open.", f"It is {case.status}.")

    async def shown(tx: Transaction, case: CaseRow) -> models.CaseOut:
        cases = Cases(tx)
        filing = await cases.filing(case.notice_id, case.revision)
        steps = {row.step: row for row in await cases.steps(case.notice_id)}
        checked_items = {row.item for row in await cases.checks(case.notice_id)}
        assessment = assess(filing, case.arrived_at, rules) if filing and case.arrived_at else None
        if filing is not None and case.status == CaseStatus.RELEASED:
            # A released case is no longer this authority's to handle.
            filing = masked(filing)
        line = models.CaseLine.model_validate(case, from_attributes=True)
        return models.CaseOut(
            **line.model_dump(),
            outcome=case.outcome,
            arrived_at=case.arrived_at,
            registered_at=case.registered_at,
            reasons=case.reasons,
            missing=case.missing,
            trace_id=case.trace_id,
            assessment=models.AssessmentOut.of(assessment) if assessment else None,
            course=[
                models.StepOut(
                    step=step,
                    **asdict(TEXTS[step]),
                    state=row.state if (row := steps.get(step)) else None,
                    at=row.at if row else None,
                    by=row.by if row else None,
                )
                for step in course(assessment.plan if assessment else None)
            ],
            checklist=[
                models.CheckOut(
                    item=item,
                    **asdict(check_message(item, rules, local_day(tx.clock.now())).text),
                    checked=item in checked_items,
                )
                for item in CheckItem
            ],
            filing=filing,
        )

    # -- filings that this authority registers itself -----------------------------------------------------------------

    @routes.post(
        "/notices",
        status_code=status.HTTP_201_CREATED,
        tags=["notices"],
        dependencies=[Depends(without_identity_codes)],
    )
    async def register_notice(
        request: Request, response: Response, who: Caller, notice: models.NoticeIn, key: IdempotencyKey = None
    ) -> models.CaseOut:
        """Register a notice in this authority's own store. The joint office reconciles it as soon as it can."""
        if isinstance(who, System):
            permit_system(who, "notices:write")
        else:
            officer(who)
        filing = checked(notice.filing)
        now = writer.clock.now()
        arrived_at = arrival(notice, who, now)
        notice_id = derived_id("notice", authority, who.actor, key) if key else uuid4()
        async with writer.transaction(derived_id("file", notice_id)) as tx:
            cases = Cases(tx)
            before = await answered_before(request, response, tx, who, key, notice_id)
            if before is not None:
                known = await cases.read(before)
                if known is None:
                    raise not_found("case")
                return await shown(tx, known)
            cases.add(
                NewCase(
                    notice_id=notice_id,
                    version=0,  # any version that the joint office gives is newer
                    revision=1,
                    authority=authority,
                    handling_mode=HandlingMode.OWN,
                    reasons=(Reason(kind=ReasonKind.MANUAL),),
                    missing=missing(filing),
                    arrived_at=arrived_at,
                    registered_at=now,
                    acknowledge_by=None,
                    filing=filing,
                    trace_id=current_trace_id(),
                )
            )
            tell(
                tx,
                NoticeFiled(
                    notice_id=notice_id,
                    authority=authority,
                    revision=1,
                    arrived_at=arrived_at,
                    registered_at=now,
                    filing=filing,
                ),
            )
            await tx.flush()
            case = await cases.read(notice_id)
            if case is None:
                raise not_found("case")
            answer = await shown(tx, case)
        response.headers["Location"] = f"/v1/cases/{notice_id}"
        return answer

    @routes.post("/cases/{notice_id}/revisions", tags=["notices"], dependencies=[Depends(without_identity_codes)])
    async def revise(who: OwnOfficer, notice_id: UUID, revision: models.RevisionIn) -> models.CaseOut:
        """Register a new revision that the employer sent to this authority. 409 when it does not follow the newest."""
        filing = checked(revision.filing)
        async with changing(notice_id, act="revise", by=who) as (tx, case):
            must_be_open(case)
            if revision.predecessor != case.revision:
                raise ProblemError(
                    409,
                    "stale-predecessor",
                    "The change does not fit the notice.",
                    f"The newest revision is {case.revision}.",
                )
            now = tx.clock.now()
            Cases(tx).add_revision(notice_id, case.revision + 1, filing)
            case.revision += 1
            case.missing = list(missing(filing))
            tell(
                tx,
                NoticeFiled(
                    notice_id=notice_id,
                    authority=authority,
                    revision=case.revision,
                    arrived_at=now,
                    registered_at=now,
                    filing=filing,
                ),
            )
            await tx.flush()
            return await shown(tx, case)

    @routes.post("/cases/{notice_id}/withdrawal", tags=["notices"])
    async def withdraw(who: OwnOfficer, notice_id: UUID) -> models.CaseOut:
        """Register that the employer withdraws the notice."""
        async with changing(notice_id, act="withdraw", by=who) as (tx, case):
            must_be_open(case)
            case.status = CaseStatus.WITHDRAWN
            tell(tx, NoticeWithdrawalFiled(notice_id=notice_id, authority=authority))
            return await shown(tx, case)

    # -- cases --------------------------------------------------------------------------------------------------------

    @routes.get("/cases")
    async def list_cases(
        _: OwnOfficer,
        state: Annotated[Literal["open", "released", "withdrawn", "closed"] | None, Query(alias="status")] = None,
        specialist: Annotated[str | None, Query(max_length=200)] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[models.CaseLine]:
        """List this authority's cases, newest first."""
        before = None
        if cursor is not None:
            at, notice_id = read_cursor(cursor, 2)
            before = (datetime.fromisoformat(at), UUID(notice_id))
        async with writer.reading() as tx:
            rows = await Cases(tx).page(status=state, specialist=specialist, limit=limit, before=before)
        following = write_cursor(rows[-1].stored_at, rows[-1].notice_id) if len(rows) == limit else None
        return Page(items=[models.CaseLine.model_validate(row, from_attributes=True) for row in rows], next=following)

    @routes.get("/cases/{notice_id}", response_model=models.CaseOut)
    async def read_case(request: Request, _: OwnOfficer, notice_id: UUID) -> Response:
        """Read a case."""
        async with writer.reading() as tx:
            case = await Cases(tx).read(notice_id)
            if case is None:
                raise not_found("case")
            return tagged(request, await shown(tx, case))

    @routes.get("/cases/{notice_id}/revisions")
    async def list_revisions(_: OwnOfficer, notice_id: UUID) -> list[models.CaseRevisionOut]:
        """List the revisions that this authority has received, oldest first."""
        async with writer.reading() as tx:
            case = await Cases(tx).read(notice_id)
            if case is None:
                raise not_found("case")
            rows = await Cases(tx).revisions(notice_id)
        hide = case.status == CaseStatus.RELEASED
        revisions = []
        for row in rows:
            filing = Filing.model_validate(row.filing)
            revisions.append(
                models.CaseRevisionOut(
                    revision=row.revision, stored_at=row.stored_at, filing=masked(filing) if hide else filing
                )
            )
        return revisions

    @routes.put("/cases/{notice_id}/specialist")
    async def name_specialist(who: OwnOfficer, notice_id: UUID, named: models.SpecialistIn) -> models.CaseOut:
        """Name this authority's specialist for the case."""
        async with changing(notice_id, act="specialist", by=who) as (tx, case):
            must_be_open(case)
            case.specialist = named.specialist
            await Cases(tx).set_step(notice_id, Step.SPECIALIST_NAMED, StepState.DONE, who.subject)
            await tx.flush()
            return await shown(tx, case)

    @routes.post("/cases/{notice_id}/acknowledgement")
    async def acknowledge(who: OwnOfficer, notice_id: UUID) -> models.CaseOut:
        """Acknowledge a notice: the receipt of a person, after the store's own. Repeating it changes nothing."""
        async with changing(notice_id, act="acknowledge", by=who) as (tx, case):
            must_be_open(case)
            if case.acknowledged_at is None:
                case.acknowledged_at = tx.clock.now()
                case.overdue = None
                tell(
                    tx,
                    NoticeAcknowledged(
                        notice_id=notice_id,
                        authority=authority,
                        acting_authority=who.authority,
                        acknowledged_at=case.acknowledged_at,
                    ),
                )
            return await shown(tx, case)

    @routes.post("/cases/{notice_id}/decline")
    async def decline(who: OwnOfficer, notice_id: UUID, why: models.DeclineIn) -> models.CaseOut:
        """Say that the notice is not this authority's own; a coordinator looks into it."""
        async with changing(notice_id, act="decline", by=who) as (tx, case):
            must_be_open(case)
            told = NoticeDeclined(
                notice_id=notice_id, authority=authority, reason=why.reason, declined_at=tx.clock.now()
            )
            tell(tx, told)
            return await shown(tx, case)

    @routes.post("/cases/{notice_id}/taking")
    async def take(who: OwnOfficer, notice_id: UUID, taking: models.TakeIn) -> models.CaseOut:
        """Take the handling of the own part, or of others' on their behalf. The competence does not move."""
        parts = tuple(dict.fromkeys(taking.parts)) or (authority,)
        if unknown := set(parts) - network:
            raise ProblemError(
                422, "unknown-authority", "A part is of no authority of the region.", f"{len(unknown)} of {len(parts)}"
            )
        async with changing(notice_id, act="take", by=who) as (tx, case):
            must_be_open(case)
            if authority in parts:
                case.handling_mode = HandlingMode.OWN
                case.acknowledged_at = case.acknowledged_at or tx.clock.now()
                case.overdue = None
            tell(
                tx,
                NoticeTaken(notice_id=notice_id, authority=authority, parts=parts, taken_at=tx.clock.now()),
            )
            return await shown(tx, case)

    @routes.post("/cases/{notice_id}/closing")
    async def close(who: OwnOfficer, notice_id: UUID, closing: models.ClosingIn) -> models.CaseOut:
        """Close this authority's own case with the outcome."""
        async with changing(notice_id, act="close", by=who) as (tx, case):
            must_be_open(case)
            case.status, case.outcome = CaseStatus.CLOSED, closing.outcome
            told = CaseClosed(
                notice_id=notice_id, authority=authority, outcome=closing.outcome, closed_at=tx.clock.now()
            )
            tell(tx, told)
            return await shown(tx, case)

    @routes.put("/cases/{notice_id}/steps/{step}")
    async def set_step(who: OwnOfficer, notice_id: UUID, step: Step, wanted: models.StepIn) -> models.CaseOut:
        """Set how far a step of the course is."""
        async with changing(notice_id, act="step", by=who) as (tx, case):
            await Cases(tx).set_step(notice_id, step, wanted.state, who.subject)
            await tx.flush()
            return await shown(tx, case)

    @routes.put("/cases/{notice_id}/checklist/{item}")
    async def set_check(who: OwnOfficer, notice_id: UUID, item: str, wanted: models.CheckIn) -> models.CaseOut:
        """Check an item of the checklist, or uncheck it. It decides nothing."""
        if item not in set(CheckItem):
            raise not_found("checklist item")
        async with changing(notice_id, act="check", by=who) as (tx, case):
            await Cases(tx).set_check(notice_id, item, who.subject, checked=wanted.checked)
            await tx.flush()
            return await shown(tx, case)

    @routes.post("/cases/{notice_id}/notes", status_code=201, dependencies=[Depends(without_identity_codes)])
    async def add_note(who: OwnOfficer, notice_id: UUID, note: models.NoteIn) -> None:
        """Add a note. It never leaves this office."""
        async with changing(notice_id, act="note", by=who) as (tx, _):
            Cases(tx).add_note(notice_id, note.text, who.subject)

    @routes.get("/cases/{notice_id}/notes")
    async def list_notes(_: OwnOfficer, notice_id: UUID) -> list[models.NoteOut]:
        """List the notes, oldest first."""
        async with writer.reading() as tx:
            if await Cases(tx).read(notice_id) is None:
                raise not_found("case")
            rows = await Cases(tx).notes(notice_id)
        return [models.NoteOut.model_validate(row, from_attributes=True) for row in rows]

    @routes.get("/state-hash", tags=["operations"])
    async def state_hash(who: Caller) -> dict[str, str]:
        """Return one hash of all that follows from messages: a store rebuilt from the first offset gives the same."""
        permit_officer(who, frozenset({authority}), "operator")
        async with writer.reading() as tx:
            return {"hash": await Cases(tx).state_hash()}

    return routes
