"""A process of a service in an office: made once, top to bottom, and run until it is told to stop.

The HTTP API is in the foreground; consumer, relay and periodic work live in its lifespan.
"""

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
import structlog
import uvicorn
from fastapi import APIRouter, Depends, FastAPI
from fastapi_offline import FastAPIOffline
from opentelemetry.sdk.trace.export import SpanExporter
from sqlalchemy.ext.asyncio import AsyncEngine
from tenacity import RetryCallState, retry, retry_if_exception, stop_after_delay, wait_fixed

from shared import health, instruments, operator_api
from shared.calendar import is_office_hour
from shared.clock import Clock, SystemClock
from shared.database import engine_for, is_unavailable
from shared.http import problems
from shared.http.transactions import forget_answers
from shared.identity import Identities
from shared.messaging.inbound import Inbound
from shared.messaging.loop import Consumer
from shared.messaging.parking import Parking
from shared.messaging.relay import Relay
from shared.messaging.transaction import Database
from shared.migrations import is_current, migrate
from shared.periodic import Background, Periodic
from shared.screening import without_identity_codes
from shared.settings import ProcessSettings
from shared.telemetry import describe, tracer_provider

_MEASURE_SECONDS: Final = 5.0
_FORGET_SECONDS: Final = 3600.0
_DATABASE_SECONDS: Final = 20.0
"""How long a process that starts waits for its database. Then it ends, and is started again by what supervises it."""

_log = structlog.get_logger("shared.process")


@dataclass(frozen=True)
class Service:
    """What names a service: in telemetry and consumer groups, in the database, and on disk."""

    name: str
    schema: str
    migrations: Path


@dataclass(frozen=True)
class Parts:
    """What a service brings into its process.

    Attributes:
        inbound: what it reads.
        routers: its HTTP API.
        objects: what its routes ask for by type (`shared.http.auth.part`).
        periodic: what works in the background.
    """

    inbound: Inbound
    routers: Sequence[APIRouter]
    objects: Sequence[object] = ()
    periodic: Sequence[Background] = ()


def assemble(
    service: Service,
    settings: ProcessSettings,
    parts_with: Callable[[Database], Parts],
    *,
    clock: Clock | None = None,
    exporter: SpanExporter | None = None,
) -> FastAPI:
    """Make a process.

    Args:
        service: which service it is of.
        settings: what it is told from outside.
        parts_with: makes the service's own parts, given what opens transactions.
        clock: replaces the machine's clock.
        exporter: replaces the span exporter that the settings choose.
    """
    provider = tracer_provider(service.name, settings, exporter)
    tracer = provider.get_tracer(service.name)
    engine = engine_for(settings, service.schema)
    database = Database(engine, settings.office, clock or SystemClock(), tracer)
    parts = parts_with(database)
    consumer = Consumer(parts.inbound, database, settings, service.name)
    relay = Relay(engine, settings, service.name, tracer)
    measuring = Periodic("measure", _MEASURE_SECONDS, lambda: _measure(consumer, relay, database, service, settings))
    forgetting = Periodic(
        "forget first answers",
        _FORGET_SECONDS,
        lambda: forget_answers(database, timedelta(days=settings.archive_days)),
    )
    http_client = httpx.AsyncClient()
    identities = Identities(settings.jwks_url, settings.token_issuer, settings.token_audience, http_client)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await _migrate_when_there(engine, service)
        background: tuple[Background, ...] = (relay, consumer, measuring, forgetting, *parts.periodic)
        for part in background:
            part.start()
        yield
        # The relay last, so that what the last batch publishes is still sent.
        for part in reversed(background):
            await part.stop()
        await http_client.aclose()
        await engine.dispose()
        provider.shutdown()

    # The API's own pages must open on a closed network too.
    app = FastAPIOffline(
        title=f"{service.name} @ {settings.office}",
        version="1",
        lifespan=life,
        redirect_slashes=False,
        dependencies=[Depends(without_identity_codes)],
    )
    problems.install(app, service=service.name, office=settings.office, provider=provider)
    app.state.broker = consumer.broker
    app.state.identities = identities
    app.state.authorities = settings.authorities
    app.state.parts = {type(made): made for made in (database, consumer, relay, *parts.objects)}
    for router in parts.routers:
        app.include_router(router)
    app.include_router(operator_api.router)
    app.include_router(
        health.router(
            {
                "database": _migrated(engine, service.migrations),
                "consumer": consumer.is_ready,
                "relay": relay.is_ready,
            }
        )
    )
    return app


def _tell_waiting(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    if error is not None:
        _log.warning("database unavailable, waiting to start", error=describe(error))


@retry(
    retry=retry_if_exception(is_unavailable),
    stop=stop_after_delay(_DATABASE_SECONDS),
    wait=wait_fixed(0.5),
    before_sleep=_tell_waiting,
    reraise=True,
)
async def _migrate_when_there(engine: AsyncEngine, service: Service) -> None:
    """Bring the schema up to date; a database that is unavailable, as after a common power cut, is waited for."""
    await migrate(engine, service.migrations, service.schema)


async def _measure(
    consumer: Consumer, relay: Relay, database: Database, service: Service, settings: ProcessSettings
) -> None:
    """Set the gauges that nobody sets in passing: lag, outbox, parking, office hours."""
    labels = (settings.office, service.name)
    is_open = is_office_hour(database.clock.now(), settings.opens_at, settings.closes_at)
    instruments.OFFICE_HOURS.set(int(is_open))
    if consumer.certificate_expires is not None:
        instruments.CERTIFICATE_EXPIRES.labels(*labels).set(consumer.certificate_expires.timestamp())
    waiting, seconds = await relay.backlog()
    instruments.OUTBOX_WAITING.labels(*labels).set(waiting)
    instruments.OUTBOX_SECONDS.labels(*labels).set(seconds)
    async with database.read() as tx:
        instruments.PARKED_OPEN.labels(*labels).set(await Parking(tx.connection).open_count())
    for lag in await consumer.lags():
        instruments.LAG_RECORDS.labels(*labels, lag.topic).set(lag.records)
        instruments.LAG_SECONDS.labels(*labels, lag.topic).set(lag.seconds)


def _migrated(engine: AsyncEngine, migrations: Path) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        async with engine.connect() as connection:
            return await connection.run_sync(is_current, migrations)

    return holds


def serve(app: FastAPI, settings: ProcessSettings) -> None:
    """Serve until SIGTERM or SIGINT; the batch in progress is finished, and what it published is sent."""
    # What was imported and made so far lives as long as the process: the collector need not look at it again. And a
    # batch makes many objects that all die with it: looking for cycles less often gave a quarter more throughput.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    uvicorn.run(
        app,
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=20,
    )


@asynccontextmanager
async def writing(service: Service, settings: ProcessSettings) -> AsyncIterator[Database]:
    """Open the service's own database for a command that ends, migrated."""
    engine = engine_for(settings, service.schema)
    try:
        await migrate(engine, service.migrations, service.schema)
        tracer = tracer_provider(service.name, settings).get_tracer(service.name)
        yield Database(engine, settings.office, SystemClock(), tracer)
    finally:
        await engine.dispose()


async def bring_up_to_date(service: Service, settings: ProcessSettings) -> None:
    """Bring the service's schema up to date, and end."""
    async with writing(service, settings):
        pass
