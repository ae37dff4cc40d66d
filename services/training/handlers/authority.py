"""The authority side: a city keeps its own applicants and what is decided of them, and a copy of the catalogue.

Idempotent by the inbox; beyond it, by version (decisions, courses, groups) and because an offer is kept once.
"""

from collections.abc import Mapping
from typing import Final

from services.training.store import Catalogue, OwnApplications
from shared import topics
from shared.errors import UnprocessableError
from shared.events.envelope import Event
from shared.events.v1.training import (
    ApplicantInvited,
    ApplicationDecided,
    ApplicationHandedOver,
    CoursePublished,
    GroupPublished,
    SeatAnswer,
    SeatAnswered,
    SeatOffered,
)
from shared.messaging.handlers import Handler
from shared.messaging.transaction import Transaction


async def keep_course(event: CoursePublished, tx: Transaction) -> None:
    """Copy a course: the city takes applications with the joint office down."""
    await Catalogue(tx).save_course(event)


async def keep_group(event: GroupPublished, tx: Transaction) -> None:
    """Copy a group."""
    await Catalogue(tx).save_group(event)


async def receive_offer(event: SeatOffered, tx: Transaction) -> None:
    """Keep a seat offer for the applicant to answer; one whose deadline has gone on the way expires."""
    own = OwnApplications(tx)
    if await own.get(event.application_id) is None:
        raise UnprocessableError("there is no such application here", "unknown-application")
    if await own.receive_offer(event) and event.answer_by <= tx.clock.now():
        await expire(tx, event.offer_id, event.application_id)


async def receive_decision(event: ApplicationDecided, tx: Transaction) -> None:
    """Keep where an application stands at the joint office."""
    if await OwnApplications(tx).get(event.application_id) is None:
        raise UnprocessableError("there is no such application here", "unknown-application")
    await OwnApplications(tx).decided(event)


async def take_over(event: ApplicationHandedOver, tx: Transaction) -> None:
    """Keep an application whose applicant has moved here; an officer enters who it is."""
    await OwnApplications(tx).take_over(
        event.application_id, event.course_id, event.application, event.state, event.version
    )


async def receive_invitation(event: ApplicantInvited, tx: Transaction) -> None:
    """Keep an invitation for an officer, who alone finds whose reference it is."""
    await OwnApplications(tx).receive_invitation(event)


async def expire(tx: Transaction, offer_id: object, application_id: object) -> None:
    """Close an offer whose deadline has gone, and tell the joint office, which offers the seat on."""
    told = SeatAnswered.model_validate(
        {
            "application_id": application_id,
            "office": tx.office,
            "offer_id": offer_id,
            "answer": SeatAnswer.EXPIRED,
            "answered_at": tx.clock.now(),
        }
    )
    await OwnApplications(tx).answer_offer(told.offer_id, SeatAnswer.EXPIRED)
    tell(tx, told)


def tell(tx: Transaction, event: Event) -> None:
    """Tell the joint office."""
    tx.publish(event, to=topics.TRAINING_FROM, office=tx.office)


HANDLERS: Final[Mapping[str, Handler]] = {
    CoursePublished.type_name(): keep_course,
    GroupPublished.type_name(): keep_group,
    SeatOffered.type_name(): receive_offer,
    ApplicationDecided.type_name(): receive_decision,
    ApplicationHandedOver.type_name(): take_over,
    ApplicantInvited.type_name(): receive_invitation,
}
