"""Makes every object of a change security process once, top to bottom."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from services.change_security import data
from services.change_security.api import authority as authority_api
from services.change_security.api import joint as joint_api
from services.change_security.commands import JointOffice
from services.change_security.domain.matter import Rulebook
from services.change_security.handlers import authority, joint
from services.change_security.mailer import Mailer
from services.change_security.settings import SCHEMA, SERVICE, Settings
from services.change_security.store import ForAdvisory
from shared import topics
from shared.clock import Clock
from shared.desk import Desk
from shared.events.registry import REGISTRY
from shared.instruments import OVERDUE
from shared.messaging.handlers import Handler
from shared.messaging.inbound import Inbound, Prepare, nothing_to_prepare, nothing_to_screen
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts, Service, assemble
from shared.screening import ERASE_ON_DISCARD, screen

CHANGE_SECURITY = Service(SERVICE, SCHEMA, Path(__file__).parent / "migrations")
DESK = Desk("change_security", ForAdvisory)


def build(settings: Settings, *, clock: Clock | None = None, exporter: SpanExporter | None = None) -> FastAPI:
    """Make the process. `clock` and `exporter` replace the machine's clock and the span exporter that is set."""
    network = frozenset(settings.city_offices)
    office = JointOffice(Rulebook(data.authorities(), data.rules()), shipped=data.authorities())

    def parts(database: Database) -> Parts:
        if settings.is_joint:
            routers = [joint_api.router(office, database, network), DESK.router(database, network)]
        else:
            routers = [authority_api.router(data.rules(), database, settings.authority, network)]
        periodic = joint_work(settings, office, database) if settings.is_joint else ()
        return Parts(inbound(settings, office), routers, periodic)

    return assemble(CHANGE_SECURITY, settings, parts, clock=clock, exporter=exporter)


def inbound(settings: Settings, office: JointOffice) -> Inbound:
    """Say what this process reads: the joint office other systems, every city and advisory; a city what is addressed to it."""
    known = topics.expanded(settings.city_offices)
    handlers: Mapping[str, Handler]
    prepare: Prepare
    if settings.is_joint:
        names = (
            topics.CHANGE_NOTICES_INBOUND.name,
            *topics.CHANGE_SECURITY_FROM.names(settings.city_offices),
            topics.ADVISORY_SERVICES.name,
        )
        handlers, prepare = {**joint.JointHandlers(office).by_type(), **DESK.by_type()}, joint.prepare
    else:
        names = (topics.CHANGE_SECURITY_TO.name_for(settings.office),)
        handlers, prepare = authority.HANDLERS, nothing_to_prepare
    return Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={name: known[name] for name in names},
        types=REGISTRY,
        handlers=handlers,
        # What the joint office tells it has screened itself.
        screen=screen if settings.is_joint else nothing_to_screen,
        erase_on_discard=ERASE_ON_DISCARD,
        prepare=prepare,
    )


def joint_work(settings: Settings, office: JointOffice, database: Database) -> list[Periodic]:
    """Make the joint office's periodic work: e-mail, overdue receipts, and imported municipalities."""
    mailer = Mailer(database, office, settings)

    async def escalate() -> None:
        async with database.transaction(uuid4()) as tx:
            awaited = await office.escalate(tx)
        for what in awaited:
            OVERDUE.labels(what).inc()

    async def read_directory() -> None:
        async with database.read() as tx:
            await office.read_directory(tx)

    return [
        Periodic("read directory", settings.sweep_seconds, read_directory),
        Periodic("escalate overdue receipts", settings.sweep_seconds, escalate),
        Periodic("send e-mail", min(settings.sweep_seconds, 5.0), mailer.send_due),
    ]
