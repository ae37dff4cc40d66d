"""Makes an advisory process: of the joint office, or of a city."""

from pathlib import Path

from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from services.advisory.settings import SCHEMA, SERVICE, Settings
from shared.clock import Clock
from shared.messaging.transaction import Database
from shared.process import Parts, Service, assemble

SERVICE_ADVISORY = Service(SERVICE, SCHEMA, Path(__file__).parent / "migrations")


def build(settings: Settings, *, clock: Clock | None = None, exporter: SpanExporter | None = None) -> FastAPI:
    """Make the process. `clock` and `exporter` replace the machine's clock and the span exporter that is set."""

    def parts_with(database: Database) -> Parts:
        if settings.is_joint:
            from services.advisory.joint.app import parts  # noqa: PLC0415 - a city's image has no joint/
        else:
            from services.advisory.authority.app import parts  # noqa: PLC0415 - one side in a process
        return parts(settings, database)

    return assemble(SERVICE_ADVISORY, settings, parts_with, clock=clock, exporter=exporter)
