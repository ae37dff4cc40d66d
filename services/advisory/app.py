"""Makes every object of an advisory process once, top to bottom."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from services.advisory import data
from services.advisory.api import authority as authority_api
from services.advisory.api import joint as joint_api
from services.advisory.commands import JointAdvisory
from services.advisory.handlers import authority, joint
from services.advisory.mailroom import Mailroom
from services.advisory.settings import SCHEMA, SERVICE, Settings
from shared import topics
from shared.clock import Clock
from shared.events.registry import REGISTRY
from shared.messaging.inbound import Inbound, nothing_to_screen
from shared.messaging.transaction import Database
from shared.periodic import Background, Periodic
from shared.process import Parts, Service, assemble
from shared.screening import ERASE_ON_DISCARD, screen

ADVISORY = Service(SERVICE, SCHEMA, Path(__file__).parent / "migrations")


def build(settings: Settings, *, clock: Clock | None = None, exporter: SpanExporter | None = None) -> FastAPI:
    """Make the process. `clock` and `exporter` replace the machine's clock and the span exporter that is set."""
    network = frozenset(settings.city_offices)
    advisory = joint_advisory(settings)

    def parts(database: Database) -> Parts:
        if not settings.is_joint:
            return Parts(inbound(settings, advisory), [authority_api.router(database, settings.office, network)])
        background: list[Background] = [
            Periodic("assign and escalate", settings.sweep_seconds, lambda: sweep(advisory, database)),
            Mailroom(advisory, database, settings.smtp_host, settings.smtp_port),
        ]
        return Parts(inbound(settings, advisory), [joint_api.router(advisory, database, network)], background)

    return assemble(ADVISORY, settings, parts, clock=clock, exporter=exporter)


def joint_advisory(settings: Settings) -> JointAdvisory:
    """Make the joint side."""
    return JointAdvisory(
        settings.city_offices,
        data.authority_of(),
        data.agreed(),
        settings.open_limit,
        timedelta(hours=settings.acknowledge_hours),
    )


def inbound(settings: Settings, advisory: JointAdvisory) -> Inbound:
    """Say what this process reads: the joint office other systems, every city and the other services' answers; a city
    what is addressed to it, and the guidance.
    """
    known = topics.expanded(settings.city_offices)
    if settings.is_joint:
        names = (
            topics.CONTACTS_INBOUND.name,
            *topics.ADVISORY_FROM.names(settings.city_offices),
            topics.SERVICES_ADVISORY.name,
        )
        handlers = joint.JointHandlers(advisory).by_type()
    else:
        names = (topics.ADVISORY_TO.name_for(settings.office), topics.ADVISORY_SHARED.name)
        handlers = authority.HANDLERS
    return Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={name: known[name] for name in names},
        types=REGISTRY,
        handlers=handlers,
        screen=screen if settings.is_joint else nothing_to_screen,
        erase_on_discard=ERASE_ON_DISCARD,
    )


async def sweep(advisory: JointAdvisory, database: Database) -> None:
    """Assign what waits - an absence may have ended - and tell of hand-overs that are overdue."""
    async with database.transaction(uuid4()) as tx:
        await advisory.assign_waiting(tx)
        await advisory.escalate(tx)
