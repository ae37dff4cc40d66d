"""What the joint office does with shared plans: it gathers the steps and brings every concerned authority the whole."""

from uuid import UUID

from services.change_security.domain.notice import Change, Notice
from services.change_security.domain.plan import check, is_later
from services.change_security.joint.plan_store import Plans
from services.change_security.joint.store import Notices
from shared.errors import ForbiddenError, UnknownError, UnprocessableError
from shared.events.v1.change_security import HandlingMode, NoticeAssigned, PlanChanged, PlanStep, PlanStepReported
from shared.messaging.transaction import Transaction


async def enter_step(event: PlanStepReported, tx: Transaction) -> None:
    """Enter a step that an authority has added or changed; every concerned authority hears the plan.

    Raises:
        UnknownError: no such notice.
        UnprocessableError: the authority has no part in it.
        ForbiddenError: it speaks of another's change.
        RefusedError: there is no such step of the course.
    """
    check(event.step)
    notice = await Notices(tx).get(event.notice_id)
    if notice is None:
        raise UnknownError("notice")
    if notice.entry(event.authority) is None:
        raise UnprocessableError("the authority has no part in the notice", "not-a-recipient")
    plan = await Plans(tx).of(event.notice_id)
    known = plan.get(event.step.step_id)
    if event.step.changed_authority != event.authority or (known or event.step).authority != event.step.authority:
        raise ForbiddenError("other-authority", "An authority speaks of its own change alone.")
    if not is_later(event.step, known):
        return
    Plans(tx).put(event.notice_id, event.step)
    plan[event.step.step_id] = event.step
    for entry in notice.active:
        if entry.office is not None:
            _send(tx, event.notice_id, plan, entry.office)


async def share_plan(tx: Transaction, before: Notice, change: Change) -> None:
    """Bring the plan of a joint matter to an authority that a change brings in, or to all when it becomes joint."""
    notice = change.notice
    if notice.version == 1 or notice.handling is None or notice.handling.mode is not HandlingMode.JOINT:
        return
    offices = {office for office, event in change.events if isinstance(event, NoticeAssigned)}
    if before.handling is None or before.handling.mode is not HandlingMode.JOINT:
        offices |= {entry.office for entry in notice.active if entry.office is not None}
    if offices and (plan := await Plans(tx).of(notice.notice_id)):
        for office in sorted(offices):
            _send(tx, notice.notice_id, plan, office)


async def unite_plans(tx: Transaction, notice: Notice, absorbed: Notice) -> None:
    """Bring the plan of a notice that is merged into another into that one's; every concerned authority hears it."""
    if absorbed.handling is None or absorbed.handling.mode is not HandlingMode.JOINT:
        return
    plans = Plans(tx)
    steps = await plans.of(absorbed.notice_id)
    if not steps:
        return
    plan = await plans.of(notice.notice_id) | steps
    for step in steps.values():
        plans.put(notice.notice_id, step)
    for entry in notice.active:
        if entry.office is not None:
            _send(tx, notice.notice_id, plan, entry.office)


def _send(tx: Transaction, notice_id: UUID, plan: dict[UUID, PlanStep], office: str) -> None:
    steps = tuple(plan[step_id] for step_id in sorted(plan))
    tx.publish(PlanChanged(notice_id=notice_id, steps=steps), to=office)
