"""The agreement at the joint office: decisions of two members, what follows them from their day on, meetings."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from deploy.local.client import Caller, wait_for
from deploy.local.stack import JOINT, Stack
from services.advisory.domain.agreement import DecisionState, NewFigure, Proposal
from services.advisory.domain.governance import MeetingState, NewMeeting
from services.advisory.domain.operating_model import ModelText, ModelTexts
from services.advisory.domain.resources import WorkQuestion
from services.advisory.joint.agreement_store import AgreementTexts, Decisions
from services.advisory.joint.questions import SERVICES, JointReviews, enter_reply
from services.advisory.joint.review_commands import JointKeptReviews
from services.advisory.joint.review_store import KeptReviews
from shared.agreement import Agreements
from shared.errors import ConflictError, ForbiddenError, RefusedError
from shared.events.v1.advisory import WorkDone, WorkReported
from shared.events.v1.agreement import FigureName, Group
from shared.messaging.transaction import Transaction
from tests.integration.advisory.test_whole import at
from tests.support.advisory import Advisory
from tests.support.advisory_office import AGREEMENT, AT, AUTHOR, GROUPS, SECOND, Office, decide, list_members

TODAY = AT.date()
TOMORROW = TODAY + timedelta(days=1)
YEARS = {"helsinki": 1.0, "espoo": 1.0, "vantaa": 2.0}
SHARES = NewFigure(name=FigureName.PERSON_YEARS, scope="advisory", by_authority=YEARS)
HOUR = NewFigure(name=FigureName.RESPONSE_HOURS, scope="form", value=1)


@pytest.fixture
async def groups(office: Office) -> Office:
    """An office whose management group has two members."""
    office = at(office, AT)
    await list_members(office, TODAY)
    return office


async def in_force(office: Office, name: FigureName, day: date, scope: str | None = None) -> Any:
    async with office.database.read() as tx:
        figure = (await Agreements(tx).figures()).at(day).figure(name, scope)
    return figure and (figure.value if figure.value is not None else figure.by_authority)


async def editions(office: Office) -> int:
    async with office.engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM outbox WHERE key = 'agreement'")) or 0)


async def test_shares_and_response_times_follow_a_decision_from_its_day_on_and_back_again(groups: Office) -> None:
    office = groups
    decision_id = await decide(office, TOMORROW, SHARES, HOUR)
    async with office.database.read() as tx:
        resources = office.contacts.resources
        assert (await resources.agreed(tx, "advisory", TODAY))["helsinki"] == 4.0
        assert await resources.agreed(tx, "advisory", TOMORROW) == dict(sorted(YEARS.items()))
    late = at(office, AT + timedelta(days=1))
    await late.list_adviser("h-1", "helsinki")
    for minute, hours in ((0, 16), (24 * 60, 1)):
        contact_id = await late.bring(minute)
        async with office.database.read() as tx:
            contact = await office.contacts.get(tx, contact_id)
        assert contact.due_at == contact.received_at + timedelta(hours=hours)  # by the day on which it was received
    proposal = Proposal(
        group=Group.MANAGEMENT, title="taken back", reference="2/2026", valid_from=TOMORROW, takes_back=decision_id
    )
    row = await office.do(AGREEMENT.propose, proposal, SECOND)
    await office.do(AGREEMENT.confirm, row.decision_id, AUTHOR)
    assert await in_force(office, FigureName.RESPONSE_HOURS, TOMORROW, "form") == 16
    async with office.database.read() as tx:
        assert (await office.contacts.resources.agreed(tx, "advisory", TOMORROW))["helsinki"] == 4.0
        assert [row.edition for row in await Decisions(tx).taken()] == [2, 3]
        assert (await Agreements(tx).figures()).edition == 3
    assert await editions(office) == 3  # the first one, and one for each decision


async def test_a_change_of_shares_counts_from_then_on_and_makes_up_for_nothing(groups: Office) -> None:
    office = groups
    for city in ("helsinki", "vantaa"):
        await office.list_adviser(f"{city}-1", city)
    await office.bring()
    await decide(office, TOMORROW, SHARES)
    late = at(office, AT + timedelta(days=1))
    async with late.database.read() as tx:
        assert sum((await late.contacts.resources.handled(tx, TODAY)).values()) == 1
        assert await late.contacts.resources.handled(tx, TOMORROW) == {}
    _, _, acting = await late.read(await late.bring())
    assert acting == "vantaa"


async def test_the_author_of_a_figure_or_of_a_text_does_not_approve_it(groups: Office) -> None:
    office = groups
    values = {"group": Group.MANAGEMENT, "title": "as agreed", "reference": "1/2026", "valid_from": TODAY}
    row = await office.do(AGREEMENT.propose, Proposal(**values, figures=(HOUR,)), AUTHOR)
    with pytest.raises(ForbiddenError, match="cannot approve"):
        await office.do(AGREEMENT.confirm, row.decision_id, AUTHOR)
    rejected = await office.do(AGREEMENT.reject, row.decision_id, "not yet", SECOND)
    assert rejected.state is DecisionState.REJECTED
    with pytest.raises(ConflictError):
        await office.do(AGREEMENT.confirm, row.decision_id, SECOND)
    part = ModelText(title="Toimintamalli", body="Näin työtä tehdään.")
    model = await office.do(AGREEMENT.write_model, ModelTexts(fi=part, sv=part, en=part), SECOND.actor)
    row = await office.do(AGREEMENT.propose, Proposal(**values, operating_model=model.version), AUTHOR)
    with pytest.raises(ForbiddenError, match="cannot approve"):
        await office.do(AGREEMENT.confirm, row.decision_id, SECOND)
    withdrawn = await office.do(AGREEMENT.withdraw, row.decision_id, "by another", AUTHOR)
    assert withdrawn.state is DecisionState.WITHDRAWN
    model = await office.do(AGREEMENT.write_model, ModelTexts(fi=part, sv=part, en=part), "officer:writer")
    await decide(office, TODAY, operating_model=model.version)
    assert await in_force(office, FigureName.OPERATING_MODEL, TODAY) == 2
    assert await editions(office) == 2
    with pytest.raises(RefusedError):
        await office.do(AGREEMENT.propose, Proposal(**values, operating_model=9), AUTHOR)


async def test_an_amendment_is_a_new_version_and_nothing_is_overwritten(groups: Office) -> None:
    office = groups
    amended = AGREEMENT.first.agreement.model_copy(update={"tasks": AGREEMENT.first.agreement.tasks[:4]})
    version = await office.do(AGREEMENT.write_version, amended, "officer:writer")
    assert version.version == 2
    await decide(office, TOMORROW, agreement_version=2)
    async with office.database.read() as tx:
        figures = await Agreements(tx).figures()
        assert [row.version for row in await AgreementTexts(tx).page(None, 10)] == [2, 1]
        assert [row.version for row in await AgreementTexts(tx).page(2, 10)] == [1]
    tasks = [in_force.agreement.tasks for day in (TODAY, TOMORROW) if (in_force := figures.at(day).version)]
    assert [len(each) for each in tasks] == [5, 4]
    await office.do(AGREEMENT.publish_first)  # at each start: it is published already
    assert await editions(office) == 2


async def test_a_decision_is_on_the_agenda_taken_at_the_meeting_and_its_minutes_are_approved(groups: Office) -> None:
    office = groups
    called = NewMeeting(group=Group.MANAGEMENT, held_on=TOMORROW)
    meeting_id = (await office.do(GROUPS.call_meeting, called, AUTHOR)).meeting_id
    values = {"group": Group.MANAGEMENT, "title": "as agreed", "reference": "1/2026", "valid_from": TOMORROW}
    proposal = Proposal(**values, figures=(HOUR,), meeting_id=meeting_id)
    row = await office.do(AGREEMENT.propose, proposal, AUTHOR)
    with pytest.raises(ConflictError, match="lies ahead"):
        await office.do(AGREEMENT.confirm, row.decision_id, SECOND)
    late = at(office, AT + timedelta(days=1))
    await late.do(AGREEMENT.confirm, row.decision_id, SECOND)
    await late.do(GROUPS.write_minutes, meeting_id, "D/1/2026", AUTHOR)
    with pytest.raises(ForbiddenError):
        await late.do(GROUPS.approve_minutes, meeting_id, AUTHOR)
    approved = await late.do(GROUPS.approve_minutes, meeting_id, SECOND)
    assert approved.state is MeetingState.MINUTES_APPROVED
    assert [item.decision_id for item in approved.agenda] == [row.decision_id]


def test_the_groups_over_http(advisory: Advisory, stack: Stack) -> None:
    """The roles of a token and the members' terms both count; nothing that is in force on later days disturbs."""

    def of(subject: str, *roles: str) -> Caller:
        return Caller(stack.url("advisory", JOINT), stack.issuer.officer("helsinki", *roles, subject=subject))

    names = [f"m-{uuid4().hex[:8]}" for _ in range(2)]
    author, second = (of(name, "management_group") for name in names)
    agreement = wait_for(lambda: found if (found := author.read("/v1/agreement"))["edition"] else None, "the agreement")
    assert {figure["certainty"] for figure in agreement["figures"]} <= {"unverified", "verified"}
    for name in names:
        member = {"group": "management_group", "subject": name, "authority": "helsinki", "since": "2026-01-01"}
        assert author.post("/v1/group-members", json=member).status_code == 403
        listed = of("c-1", "coordinator").send("/v1/group-members", member)
        assert author.read(f"/v1/group-members/{listed['member_id']}") == listed
    body = {
        "group": "management_group",
        "title": "kysyntä on kasvanut",
        "reference": "1/2030",
        "valid_from": "2190-01-01",
        "figures": [{"name": "person_years", "scope": "advisory", "by_authority": YEARS}],
    }
    assert advisory.callers.officer["vantaa"].post("/v1/decisions", json=body).status_code in {403, 404}
    decision = author.send("/v1/decisions", body)
    path = f"/v1/decisions/{decision['decision_id']}"
    waiting = author.read("/v1/governance/waiting")
    assert decision["decision_id"] in [one["decision_id"] for one in waiting["decisions"]]
    refused = author.post(f"{path}/confirmation")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:problem:own-proposal")
    taken = second.send(f"{path}/confirmation", {})
    assert (taken["state"], second.read(path)) == ("taken", taken)
    shares = {one["authority"]: one["person_years"] for one in advisory.joint.read("/v1/shares?day=2190-01-01")}
    assert shares == YEARS
    back = body | {"figures": [], "takes_back": decision["decision_id"], "reference": "2/2030"}
    again = second.send("/v1/decisions", back)
    author.send(f"/v1/decisions/{again['decision_id']}/confirmation", {})
    path = "/v1/agreement/figures/person_years?scope=advisory"
    history = author.read(path)["items"]
    page = author.read(f"{path}&limit=1")
    assert page["items"] == history[:1]
    assert author.read(f"{path}&cursor={page['next']}")["items"] == history[1:]
    assert [one["by_authority"]["helsinki"] for one in history][-2:] == [1.0, 4.0]


async def test_a_review_is_kept_approved_by_another_member_and_the_next_one_is_reminded_of(groups: Office) -> None:
    office = groups
    reviews = JointKeptReviews(JointReviews(office.contacts.resources))
    async with office.database.read() as tx:
        assert await reviews.next_due(tx) == (date(2025, 4, 1), True)  # none since the agreement began
    question = WorkQuestion(since=date(2026, 7, 1), until=date(2026, 9, 30))

    async def kept() -> UUID:
        request_id = await office.do(reviews.reviews.ask, question, AUTHOR.actor)
        due = date(2027, 1, 10)
        with pytest.raises(ConflictError, match="not answered"):
            await office.do(reviews.keep, request_id, due, AUTHOR)
        for service in SERVICES:
            done = (WorkDone(task="placement", authority="espoo", acts=7),) if service == "placement" else ()
            await office.do(enter_work, WorkReported(request_id=request_id, service=service, done=done))
        await office.do(reviews.keep, request_id, due, AUTHOR)
        assert isinstance(request_id, UUID)
        return request_id

    async def state_of(request_id: UUID) -> str | None:
        async with office.database.read() as tx:
            row = await KeptReviews(tx).get(request_id)
        return row.state if row is not None else None

    first, second = await kept(), await kept()
    with pytest.raises(ForbiddenError):
        await office.do(reviews.approve, first, AUTHOR)
    await office.do(reviews.approve, first, SECOND)
    await office.do(reviews.approve, second, SECOND)
    assert (await state_of(first), await state_of(second)) == ("replaced", "approved")
    third = await kept()
    await office.do(reviews.reject, third, "a figure is missing", SECOND)
    assert await state_of(third) == "rejected"
    async with office.database.read() as tx:
        assert await reviews.next_due(tx) == (date(2027, 1, 10), False)
        (quarter,) = await reviews.quarters(tx)
        assert await reviews.read(tx, second) == quarter
    assert next(row.acts for row in quarter.rows if (row.task, row.authority) == ("placement", "espoo")) == 7
    late = at(office, AT + timedelta(days=40))
    async with late.database.read() as tx:
        assert (await reviews.next_due(tx))[1]


async def enter_work(tx: Transaction, event: WorkReported) -> None:
    assert await enter_reply(tx, event)
