"""Makes every object of a placement process once, top to bottom."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from services.placement.api import authority as authority_api
from services.placement.api import joint as joint_api
from services.placement.commands import JointPlacement
from services.placement.handlers import authority, joint
from services.placement.settings import SCHEMA, SERVICE, Settings
from services.placement.store import ForAdvisory, OwnReferrals
from shared import topics
from shared.clock import Clock
from shared.desk import Desk
from shared.events.registry import REGISTRY
from shared.events.v1.placement import JobOfferAnswered, OfferState
from shared.messaging.handlers import Handler
from shared.messaging.inbound import Inbound, nothing_to_screen
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts, Service, assemble
from shared.screening import ERASE_ON_DISCARD, screen

PLACEMENT = Service(SERVICE, SCHEMA, Path(__file__).parent / "migrations")
DESK = Desk("placement", ForAdvisory)


def build(settings: Settings, *, clock: Clock | None = None, exporter: SpanExporter | None = None) -> FastAPI:
    """Make the process. `clock` and `exporter` replace the machine's clock and the span exporter that is set.

    Raises:
        ValueError: a city has no pool key.
    """
    network = frozenset(settings.city_offices)
    placement = JointPlacement(settings.city_offices, timedelta(seconds=settings.answer_seconds))
    pool_key = pool_key_of(settings)

    def parts(database: Database) -> Parts:
        if settings.is_joint:
            routers = [
                joint_api.router(placement, database, network, settings.answer_seconds),
                DESK.router(database, network),
            ]
            sweep = Periodic("expire vacancies", settings.sweep_seconds, lambda: expire_vacancies(placement, database))
        else:
            routers = [authority_api.router(database, settings.authority, network, pool_key)]
            sweep = Periodic("expire job offers", settings.sweep_seconds, lambda: expire_offers(database))
        return Parts(inbound(settings, placement), routers, [sweep])

    return assemble(PLACEMENT, settings, parts, clock=clock, exporter=exporter)


def pool_key_of(settings: Settings) -> bytes:
    """Return the city's own secret.

    Raises:
        ValueError: a city has none: its references could then be linked to persons.
    """
    key = settings.pool_key.get_secret_value().encode()
    if not key and not settings.is_joint:
        message = "POOL_KEY is missing: a city needs its own secret for opaque references"
        raise ValueError(message)
    return key


def inbound(settings: Settings, placement: JointPlacement) -> Inbound:
    """Say what this process reads: the joint office from other systems, every city, training, advisory
    and change security's shared facts;
    a city what is addressed to it.
    """
    known = topics.expanded(settings.city_offices)
    handlers: Mapping[str, Handler]
    if settings.is_joint:
        names = (
            topics.VACANCIES_INBOUND.name,
            topics.CHANGE_SECURITY_SHARED.name,
            topics.TRAINING_PLACEMENT.name,
            topics.ADVISORY_SERVICES.name,
            *topics.PLACEMENT_FROM.names(settings.city_offices),
        )
        handlers = {**joint.JointHandlers(placement).by_type(), **DESK.by_type()}
    else:
        names = (topics.PLACEMENT_TO.name_for(settings.office),)
        handlers = authority.HANDLERS
    return Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={name: known[name] for name in names},
        types=REGISTRY,
        handlers=handlers,
        screen=screen if settings.is_joint else nothing_to_screen,
        erase_on_discard=ERASE_ON_DISCARD,
    )


async def expire_vacancies(placement: JointPlacement, database: Database) -> None:
    """Expire the vacancies whose last day has gone."""
    async with database.transaction(uuid4()) as tx:
        await placement.expire(tx)


async def expire_offers(database: Database) -> None:
    """Expire the job offers whose deadline has gone without an answer, and tell the joint office."""
    async with database.transaction(uuid4()) as tx:
        for offer in await OwnReferrals(tx).offers_past():
            await OwnReferrals(tx).answer_offer(offer.offer_id, OfferState.EXPIRED)
            authority.tell(
                tx,
                JobOfferAnswered(
                    referral_id=offer.referral_id,
                    office=tx.office,
                    offer_id=offer.offer_id,
                    state=OfferState.EXPIRED,
                    answered_at=tx.clock.now(),
                ),
            )
