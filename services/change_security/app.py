"""Makes every object of a change security process once, top to bottom, and lets them live as long as the API does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
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
from shared import health, http, operations, topics
from shared.clock import Clock, SystemClock
from shared.database import engine_for
from shared.events.registry import REGISTRY
from shared.identity import Identities
from shared.instruments import OVERDUE
from shared.messaging.consumer import Consumer, Inbound, Prepare, nothing_to_examine, nothing_to_prepare
from shared.messaging.relay import Relay
from shared.messaging.transaction import Writer
from shared.migrations import is_current, migrate
from shared.periodic import Background, Periodic
from shared.telemetry import tracer_provider

MIGRATIONS = Path(__file__).parent / "migrations"


def build(settings: Settings, *, clock: Clock | None = None, exporter: SpanExporter | None = None) -> FastAPI:
    """Make the process: the HTTP API, and in its lifespan the consumer, the relay and the periodic work.

    Args:
        settings: what the process is told from outside.
        clock: replaces the machine's clock.
        exporter: replaces the span exporter that the settings choose.
    """
    provider = tracer_provider(SERVICE, settings, exporter)
    tracer = provider.get_tracer(SERVICE)
    engine = engine_for(settings, SCHEMA)
    writer = Writer(engine, settings.office, clock or SystemClock(), tracer)
    office = JointOffice(Rulebook(data.authorities(), data.rules()), shipped=data.authorities())
    consumer = Consumer(inbound(settings, office), writer, settings, SERVICE)
    relay = Relay(engine, settings, SERVICE, tracer)
    http_client = httpx.AsyncClient()
    identities = Identities(settings.jwks_url, settings.token_issuer, settings.token_audience, http_client)
    periodic = [] if not settings.is_joint else joint_work(settings, office, writer)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await migrate(engine, MIGRATIONS, SCHEMA)
        parts: tuple[Background, ...] = (relay, consumer, *periodic)
        for part in parts:
            part.start()
        yield
        # The relay last, so that what the last batch publishes is still sent.
        for part in reversed(parts):
            await part.stop()
        await http_client.aclose()
        await engine.dispose()
        provider.shutdown()

    app = FastAPI(title=f"Change security, {settings.office}", version="1", lifespan=life, redirect_slashes=False)
    http.install(app, service=SERVICE, office=settings.office, identities=identities, provider=provider)
    network = frozenset(settings.city_offices)
    if settings.is_joint:
        app.include_router(joint_api.router(office, writer, network))
    else:
        app.include_router(authority_api.router(data.rules(), writer, settings.authority, network))
    operators = network if settings.is_joint else frozenset({settings.authority})
    app.include_router(operations.router(consumer, writer, operators))
    app.include_router(
        health.router(
            {
                "database": lambda: migrated(writer),
                "consumer": consumer.is_ready,
            }
        )
    )
    app.state.consumer, app.state.relay, app.state.writer, app.state.provider = consumer, relay, writer, provider
    return app


def inbound(settings: Settings, office: JointOffice) -> Inbound:
    """Say what this process reads: the joint office from other systems and every city, a city what is addressed to it."""
    known = topics.expanded(settings.city_offices)
    prepare: Prepare
    if settings.is_joint:
        names = (topics.CHANGE_NOTICES_INBOUND.name, *topics.CHANGE_SECURITY_FROM.names(settings.city_offices))
        handlers, prepare = joint.JointHandlers(office).by_type(), joint.prepare
    else:
        names = (topics.CHANGE_SECURITY_TO.name_for(settings.office),)
        handlers, prepare = authority.HANDLERS, nothing_to_prepare
    return Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={name: known[name] for name in names},
        types=REGISTRY,
        handlers=handlers,
        # What the joint office tells it has examined itself.
        examine=joint.examine if settings.is_joint else nothing_to_examine,
        prepare=prepare,
    )


def joint_work(settings: Settings, office: JointOffice, writer: Writer) -> list[Periodic]:
    """Make the joint office's periodic work: e-mail, overdue receipts, and imported municipalities."""
    mailer = Mailer(writer, office, settings)

    async def escalate() -> None:
        async with writer.transaction(uuid4()) as tx:
            awaited = await office.escalate(tx)
        for what in awaited:
            OVERDUE.labels(what).inc()

    async def read_directory() -> None:
        async with writer.reading() as tx:
            await office.read_directory(tx)

    return [
        Periodic("read directory", settings.sweep_seconds, read_directory),
        Periodic("escalate overdue receipts", settings.sweep_seconds, escalate),
        Periodic("send e-mail", min(settings.sweep_seconds, 5.0), mailer.send_due),
    ]


async def migrated(writer: Writer) -> bool:
    """Whether the database answers and has every migration."""
    async with writer.engine.connect() as connection:
        return await connection.run_sync(is_current, MIGRATIONS)
