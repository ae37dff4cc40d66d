"""The joint office's API: the queue of contacts, shares, hand-overs, timelines, guidance, announcements, reviews.

A system with the scope `contacts:write` brings contacts. Officers and coordinators of the region see the queue; who called
is told to the acting and the competent authority alone, by a logged query. The coordination group approves guidance and
announcements (role `coordination_group`); the management group decides resources (role `management_group`).
"""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request, Response, status

from services.advisory import report
from services.advisory.api import models
from services.advisory.commands import JointAdvisory, Person, year_of
from services.advisory.domain.contact import ContactState
from services.advisory.domain.resources import TASKS, Compared, compare
from services.advisory.store import Announcements, Contacts, Guidance, Questions, Resources
from shared.calendar import local_day, start_of
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.envelope import derived_id
from shared.events.v1.advisory import Audience, ContactTopic, Task, TimelineAnswered, Trilingual, WorkReported
from shared.http import (
    Caller,
    FieldProblem,
    IdempotencyKey,
    Limit,
    ProblemError,
    answering,
    not_found,
    permit_officer,
    permit_system,
    tagged,
)
from shared.identity import Officer, System
from shared.messaging.transaction import Transaction, Database
from shared.screening import without_identity_codes

_CLEAN = [Depends(without_identity_codes)]


def router(advisory: JointAdvisory, database: Database, authorities: frozenset[str]) -> APIRouter:
    """Make the joint office's routes.

    Args:
        advisory: what can be done.
        database: opens transactions.
        authorities: those whose officers work here.
    """
    routes = APIRouter(prefix="/v1")

    def staff(who: Caller) -> Officer:
        return permit_officer(who, authorities, "officer", "coordinator", "coordination_group", "management_group")

    def coordination_group(who: Caller) -> Officer:
        return permit_officer(who, authorities, "coordination_group")

    def management_group(who: Caller) -> Officer:
        return permit_officer(who, authorities, "management_group")

    def may_bring(who: Caller) -> Officer | System:
        return permit_system(who, "contacts:write") if isinstance(who, System) else staff(who)

    Staff = Annotated[Officer, Depends(staff)]  # noqa: N806 - a type
    CoordinationGroup = Annotated[Officer, Depends(coordination_group)]  # noqa: N806 - a type
    ManagementGroup = Annotated[Officer, Depends(management_group)]  # noqa: N806 - a type
    Bringer = Annotated[Officer | System, Depends(may_bring)]  # noqa: N806 - a type

    # -- contacts

    @routes.post("/contacts", status_code=status.HTTP_201_CREATED, tags=["contacts"], dependencies=_CLEAN)
    async def bring(
        response: Response, who: Bringer, told: models.ContactIn, key: IdempotencyKey = None
    ) -> models.ContactOut:
        """Bring a contact into the queue. With a key, repeating it has one effect."""
        contact_id = derived_id("contact", who.actor, key) if key else uuid4()
        async with answering(database, derived_id("bring", contact_id), problem_of) as tx:
            contact = told.contact(tx.clock.now())
            if not await advisory.receive(tx, contact_id, contact, who.actor, told.person):
                known = await _shown(tx, contact_id)
                if known.contact.model_copy(update={"received_at": contact.received_at}) != contact:
                    raise ProblemError(422, "idempotency-key-reused", "The key was used before with another body.")
            response.headers["Location"] = f"/v1/contacts/{contact_id}"
            return await _shown(tx, contact_id)

    @routes.get("/contacts", tags=["contacts"])
    async def list_contacts(
        _: Staff,
        state: Annotated[ContactState | None, Query()] = None,
        authority: str | None = None,
        limit: Limit = 50,
    ) -> list[models.ContactOut]:
        """List contacts, newest first."""
        async with database.read() as tx:
            return [models.ContactOut.of(row) for row in await Contacts(tx).page(state, authority, limit)]

    @routes.get("/contacts/{contact_id}", response_model=models.ContactOut, tags=["contacts"])
    async def read_contact(request: Request, _: Staff, contact_id: UUID) -> Response:
        """Read a contact: who has it and why, every act, every hand-over."""
        async with database.read() as tx:
            return tagged(request, await _shown(tx, contact_id))

    @routes.post("/contacts/{contact_id}/taking", tags=["contacts"])
    async def take(who: Staff, contact_id: UUID) -> models.ContactOut:
        """Take a contact of the own authority's employer."""
        async with answering(database, uuid4(), problem_of) as tx:
            await advisory.take(tx, contact_id, who.subject, who.authority, who.actor)
            return await _shown(tx, contact_id)

    @routes.post("/contacts/{contact_id}/caller-queries", status_code=201, tags=["contacts"], dependencies=_CLEAN)
    async def ask_caller(who: Staff, contact_id: UUID, told: models.PurposeIn) -> Person:
        """Ask who called, with a purpose. Logged, whether answered or refused."""
        async with database.transaction(uuid4()) as tx:
            row = await Contacts(tx).get(contact_id)
            if row is None:
                raise not_found("contact")
            may = who.authority in {row.acting_authority, row.competent_authority}
            await Contacts(tx).log_query(contact_id, who.actor, who.authority, told.purpose, answered=may)
        # Committed: a refusal is in the log too.
        if not may:
            raise ProblemError(403, "not-concerned", "The contact is another authority's.")
        return Person.model_validate(row.person or {})

    @routes.get("/contacts/{contact_id}/caller-queries", tags=["contacts"])
    async def list_queries(_: Staff, contact_id: UUID) -> list[models.QueryOut]:
        """List who asked who called, and why."""
        async with database.read() as tx:
            return [models.QueryOut.model_validate(row) for row in await Contacts(tx).queries(contact_id)]

    # -- resources

    @routes.get("/shares", tags=["resources"])
    async def shares(_: Staff, day: date | None = None) -> list[models.ShareOut]:
        """Show each authority's agreed and actual share of the contacts of the calendar year."""
        day = day or local_day(database.clock.now())
        async with database.read() as tx:
            agreed = await advisory.agreed(tx, "advisory", day)
            handled = await Contacts(tx).handled(*year_of(day))
        whole, total = sum(agreed.values()), sum(handled.values())
        return [
            models.ShareOut(
                authority=name,
                person_years=years,
                agreed_share=round(years / whole, 4),
                contacts=handled.get(name, 0),
                actual_share=round(handled.get(name, 0) / total, 4) if total else None,
            )
            for name, years in agreed.items()
        ]

    @routes.put("/resources/{task}", status_code=204, tags=["resources"], dependencies=_CLEAN)
    async def decide_resources(who: ManagementGroup, task: Task, told: models.AgreedIn) -> None:
        """Enter the management group's decision on a task's person-years, from a day on."""
        if told.person_years.keys() - authorities or min(told.person_years.values()) < 0:
            fields = [FieldProblem(pointer="/person_years", code="authorities-and-years")]
            raise ProblemError(422, "invalid-request", "The request is not valid.", errors=fields)
        async with database.transaction(uuid4()) as tx:
            await Resources(tx).decide(
                task, told.person_years, told.valid_from, told.decided_on, who.actor, told.reason
            )

    @routes.get("/resources/{task}", tags=["resources"])
    async def read_resources(_: Staff, task: Task) -> list[models.AgreedOut]:
        """Show what is agreed for a task, as shipped and as decided since, oldest first."""
        async with database.read() as tx:
            rules = [*advisory.shipped, *await Resources(tx).decided()]
        return [
            models.AgreedOut.model_validate(one)
            for one in sorted(rules, key=lambda one: (one.valid_from, one.authority))
            if one.task == task
        ]

    # -- the employer's timeline

    @routes.post("/timelines", status_code=status.HTTP_202_ACCEPTED, tags=["timeline"])
    async def ask_timeline(response: Response, who: Staff, told: models.TimelineIn) -> models.RequestOut:
        """Ask every service what it has of an employer, as far as the officer's authority may see it."""
        request_id = uuid4()
        async with database.transaction(derived_id("timeline", request_id)) as tx:
            await advisory.ask_timeline(tx, request_id, told.business_id, who.authority, who.actor)
        response.headers["Location"] = f"/v1/timelines/{request_id}"
        return models.RequestOut(request_id=request_id)

    @routes.get("/timelines/{request_id}", tags=["timeline"])
    async def read_timeline(who: Staff, request_id: UUID) -> models.TimelineOut:
        """Read what has been answered so far; services that have not answered are named."""
        async with database.read() as tx:
            found = await Questions(tx).read(request_id, "timeline")
            if found is None or found[0].question["authority"] != who.authority:
                raise not_found("timeline")
            business_id = found[0].question["business_id"]
            contacts = await Contacts(tx).of_employer(business_id)
            given = await Guidance(tx).given_to(business_id)
        return _timeline(request_id, business_id, who.authority, found[1], contacts, given)

    # -- guidance

    @routes.post("/guidance", status_code=status.HTTP_201_CREATED, tags=["guidance"], dependencies=_CLEAN)
    async def write_article(response: Response, who: Staff, told: models.ArticleIn) -> models.ArticleOut:
        """Write a new guidance article, to be approved by the coordination group."""
        return await new_version(response, uuid4(), who, told)

    @routes.post(
        "/guidance/{article_id}/versions", status_code=status.HTTP_201_CREATED, tags=["guidance"], dependencies=_CLEAN
    )
    async def write_version(
        response: Response, who: Staff, article_id: UUID, told: models.ArticleIn
    ) -> models.ArticleOut:
        """Write the next version of an article, to be approved."""
        async with database.read() as tx:
            if not await Guidance(tx).versions(article_id):
                raise not_found("article")
        return await new_version(response, article_id, who, told)

    async def new_version(
        response: Response, article_id: UUID, who: Officer, told: models.ArticleIn
    ) -> models.ArticleOut:
        if told.owner not in authorities:
            fields = [FieldProblem(pointer="/owner", code="no-such-authority")]
            raise ProblemError(422, "invalid-request", "The request is not valid.", errors=fields)
        async with database.transaction(uuid4()) as tx:
            version = await Guidance(tx).write(
                article_id, told.topic, told.texts, told.owner, told.review_by, who.actor
            )
            response.headers["Location"] = f"/v1/guidance/{article_id}"
            return article_of(await Guidance(tx).version(article_id, version))

    @routes.put("/guidance/{article_id}/versions/{version}/approval", status_code=204, tags=["guidance"])
    async def approve(who: CoordinationGroup, article_id: UUID, version: int, told: models.ApprovalIn) -> None:
        """Enter the coordination group's approval; every city gets the version."""
        async with answering(database, derived_id("approve", article_id, version), problem_of) as tx:
            await advisory.approve(tx, article_id, version, who.actor, told.approved_on)

    @routes.get("/guidance", tags=["guidance"])
    async def list_guidance(_: Caller, topic: ContactTopic | None = None) -> list[models.ArticleOut]:
        """List the articles in force."""
        async with database.read() as tx:
            return [article_of(row) for row in await Guidance(tx).in_force(topic)]

    @routes.get("/guidance/{article_id}", tags=["guidance"])
    async def read_versions(_: Staff, article_id: UUID) -> list[models.ArticleOut]:
        """Read every version of an article, newest first."""
        async with database.read() as tx:
            rows = await Guidance(tx).versions(article_id)
        if not rows:
            raise not_found("article")
        return [article_of(row) for row in rows]

    @routes.get("/employers/{business_id}/guidance", tags=["guidance"])
    async def given(_: Staff, business_id: str) -> list[models.GivenOut]:
        """Tell which version of which article an employer was given, and when."""
        async with database.read() as tx:
            return [_given(row) for row in await Guidance(tx).given_to(business_id)]

    # -- announcements

    @routes.post("/announcements", status_code=status.HTTP_201_CREATED, tags=["announcements"], dependencies=_CLEAN)
    async def announce(
        response: Response, who: CoordinationGroup, told: models.AnnouncementIn
    ) -> models.AnnouncementOut:
        """Make a coordinated announcement: the same to every city, which receipts it."""
        announcement_id = uuid4()
        async with database.transaction(derived_id("announce", announcement_id)) as tx:
            await advisory.announce(tx, announcement_id, told.texts, told.audiences, told.publish_on, who.actor)
            response.headers["Location"] = f"/v1/announcements/{announcement_id}"
            return await announcement_of(tx, announcement_id)

    @routes.get("/announcements/{announcement_id}", tags=["announcements"])
    async def read_announcement(_: Staff, announcement_id: UUID) -> models.AnnouncementOut:
        """Read an announcement: which city has it, which has published it."""
        async with database.read() as tx:
            return await announcement_of(tx, announcement_id)

    # -- the resourcing review

    @routes.post("/reviews", status_code=status.HTTP_202_ACCEPTED, tags=["review"])
    async def ask_review(response: Response, who: Staff, told: models.ReviewIn) -> models.RequestOut:
        """Ask every service for its acts of handling within some days."""
        if told.until < told.since:
            fields = [FieldProblem(pointer="/until", code="before-since")]
            raise ProblemError(422, "invalid-request", "The request is not valid.", errors=fields)
        request_id = uuid4()
        async with database.transaction(derived_id("review", request_id)) as tx:
            await advisory.ask_work(tx, request_id, told.since, told.until, who.actor)
        response.headers["Location"] = f"/v1/reviews/{request_id}"
        return models.RequestOut(request_id=request_id)

    @routes.get("/reviews/{request_id}", tags=["review"])
    async def read_review(_: Staff, request_id: UUID) -> models.ReviewOut:
        """Read a review: agreed and actual by task and authority, as far as services have answered."""
        since, until, rows, missing, unverified = await reviewed(request_id)
        return models.ReviewOut(
            request_id=request_id,
            since=since,
            until=until,
            rows=rows,
            missing_services=missing,
            to_be_checked=unverified,
        )

    @routes.get("/reviews/{request_id}/report.{kind}", response_class=Response, tags=["review"])
    async def read_report(
        _: Staff, request_id: UUID, kind: Literal["html", "pdf"], lang: report.Lang = "fi"
    ) -> Response:
        """Get the review as a report, in one of the service languages."""
        since, until, rows, missing, _unverified = await reviewed(request_id)
        if kind == "html":
            page = await asyncio.to_thread(report.html, rows, since, until, missing, lang)
            return Response(page, media_type="text/html")
        file = await asyncio.to_thread(report.pdf, rows, since, until, missing, lang)
        return Response(file, media_type="application/pdf")

    async def reviewed(request_id: UUID) -> tuple[date, date, list[Compared], list[str], bool]:
        async with database.read() as tx:
            found = await Questions(tx).read(request_id, "work")
            if found is None:
                raise not_found("review")
            since, until = (date.fromisoformat(found[0].question[name]) for name in ("since", "until"))
            own = await Contacts(tx).answered(start_of(since), start_of(until + timedelta(days=1)))
            agreed = {task: await advisory.agreed(tx, task, since) for task in TASKS}
            decided = {(one.task, one.authority) for one in await Resources(tx).decided() if one.valid_from <= since}
        acts: dict[str, dict[str, int]] = {"advisory": own}
        for row in found[1]:
            for one in WorkReported.model_validate(row.answer).done if row.answer else ():
                acts.setdefault(one.task, {})[one.authority] = one.acts
        names = sorted(authorities)
        days = (until - since).days + 1
        rows = [line for task in TASKS for line in compare(task, agreed[task], acts.get(task, {}), days, names)]
        unverified = any((line.task, line.authority) not in decided for line in rows)
        return since, until, rows, [row.service for row in found[1] if row.answer is None], unverified

    def article_of(row: Any) -> models.ArticleOut:
        return models.ArticleOut(
            article_id=row.article_id,
            version=row.version,
            topic=row.topic,
            texts=Trilingual.model_validate(row.texts),
            owner=row.owner,
            review_by=row.review_by,
            review_is_due=row.review_by <= local_day(database.clock.now()),
            approved_on=row.approved_on,
            approved_by=row.approved_by,
        )

    return routes


async def announcement_of(tx: Transaction, announcement_id: UUID) -> models.AnnouncementOut:
    """Return an announcement with its receipts."""
    found = await Announcements(tx).read(announcement_id)
    if found is None:
        raise not_found("announcement")
    row, receipts = found
    return models.AnnouncementOut(
        announcement_id=announcement_id,
        texts=Trilingual.model_validate(row.texts),
        audiences=[Audience(one) for one in row.audiences],
        publish_on=row.publish_on,
        receipts=[models.ReceiptOut.model_validate(one) for one in receipts],
    )


async def _shown(tx: Transaction, contact_id: UUID) -> models.ContactOut:
    row = await Contacts(tx).get(contact_id)
    if row is None:
        raise not_found("contact")
    return models.ContactOut.of(row, await Contacts(tx).acts(contact_id), await Contacts(tx).hand_overs(contact_id))


def _given(row: Any) -> models.GivenOut:
    title = Trilingual.model_validate(row.texts).fi.title if row.texts else None
    return models.GivenOut(article_id=row.article_id, version=row.version, title=title, given_at=row.given_at)


def _timeline(
    request_id: UUID,
    business_id: str,
    authority: str,
    answers: Sequence[Any],
    contacts: Sequence[Any],
    given: Sequence[Any],
) -> models.TimelineOut:
    entries, withheld = [], []
    for row in contacts:
        if authority in {row.competent_authority, row.acting_authority}:
            what = f"contact: {row.topic}"
            entries.append(
                models.EntryOut(
                    service="advisory", matter_id=row.contact_id, what=what, state=row.state, at=row.received_at
                )
            )
        else:
            reason = f"a contact of {row.competent_authority or 'no known authority'}, handled by {row.acting_authority or 'nobody yet'}"
            withheld.append(models.WithheldOut(service="advisory", what="contact", reason=reason))
    for answer in answers:
        if answer.answer is None:
            continue
        told = TimelineAnswered.model_validate(answer.answer)
        entries += [models.EntryOut(service=answer.service, **fact.model_dump()) for fact in told.facts]
        withheld += [models.WithheldOut(service=answer.service, **one.model_dump()) for one in told.withheld]
    return models.TimelineOut(
        request_id=request_id,
        business_id=business_id,
        entries=sorted(entries, key=lambda one: (one.at, str(one.matter_id))),
        withheld=withheld,
        guidance=[_given(row) for row in given],
        missing_services=[answer.service for answer in answers if answer.answer is None],
    )


def problem_of(error: Exception) -> ProblemError | None:
    """Return the problem that a domain error is answered with."""
    if isinstance(error, UnknownError):
        return not_found(str(error))
    if isinstance(error, ConflictError):
        return ProblemError(409, error.code, "This cannot be done now.", error.text)
    if isinstance(error, RefusedError):
        return ProblemError(
            422,
            error.code,
            error.text,
            errors=[FieldProblem(pointer=error.pointer.removeprefix("/contact"), code=error.code)],
        )
    return None
