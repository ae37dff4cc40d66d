"""Makes every object of a training process once, top to bottom."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from services.training import data
from services.training.api import authority as authority_api
from services.training.api import joint as joint_api
from services.training.commands import JointTraining
from services.training.handlers import authority, joint
from services.training.settings import SCHEMA, SERVICE, Settings
from services.training.store import ForAdvisory, OwnApplications
from shared import topics
from shared.clock import Clock
from shared.desk import Desk
from shared.events.registry import REGISTRY
from shared.messaging.handlers import Handler
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.periodic import Background, Periodic
from shared.process import Parts, Service, assemble

TRAINING = Service(SERVICE, SCHEMA, Path(__file__).parent / "migrations")
DESK = Desk("training", ForAdvisory)


def build(settings: Settings, *, clock: Clock | None = None, exporter: SpanExporter | None = None) -> FastAPI:
    """Make the process. `clock` and `exporter` replace the machine's clock and the span exporter that is set.

    Raises:
        ValueError: a city has no pool key: its references could then be linked to persons.
    """
    network = frozenset(settings.city_offices)
    key = settings.pool_key.get_secret_value().encode()
    if not key and not settings.is_joint:
        raise ValueError("POOL_KEY is missing: a city needs its own secret for opaque references")
    training = JointTraining(
        settings.city_offices, data.shares(), data.procurement_rules(), timedelta(hours=settings.answer_hours)
    )

    def parts(database: Database) -> Parts:
        periodic: list[Background] = []
        if settings.is_joint:
            routers = [joint_api.router(training, database, network), DESK.router(database, network)]
        else:
            routers = [authority_api.router(database, settings.office, network, key)]
            periodic.append(Periodic("expire seat offers", settings.sweep_seconds, lambda: expire_offers(database)))
        return Parts(inbound(settings, training), routers, periodic)

    return assemble(TRAINING, settings, parts, clock=clock, exporter=exporter)


def inbound(settings: Settings, training: JointTraining) -> Inbound:
    """Say what this process reads: the joint office every city, placement's candidates, advisory, and everyone's shared facts; a
    city what is addressed to it, and the catalogue.
    """
    known = topics.expanded(settings.city_offices)
    handlers: Mapping[str, Handler]
    if settings.is_joint:
        names = (
            *topics.TRAINING_FROM.names(settings.city_offices),
            topics.PLACEMENT_TRAINING.name,
            topics.ADVISORY_SERVICES.name,
            topics.CHANGE_SECURITY_SHARED.name,
            topics.VACANCIES_SHARED.name,
        )
        handlers = {**joint.JointHandlers(training).by_type(), **DESK.by_type()}
    else:
        names = (topics.TRAINING_TO.name_for(settings.office), topics.TRAINING_SHARED.name)
        handlers = authority.HANDLERS
    return Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={name: known[name] for name in names},
        types=REGISTRY,
        handlers=handlers,
    )


async def expire_offers(database: Database) -> None:
    """Close the seat offers whose deadline has gone without an answer; the joint office offers the seats on."""
    async with database.transaction(uuid4()) as tx:
        for offer in await OwnApplications(tx).offers_past():
            await authority.expire(tx, offer.offer_id, offer.application_id)
