"""Makes a change security process: of the joint side in the joint office, of the authority side in a city."""

from pathlib import Path

from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from services.change_security.settings import SCHEMA, SERVICE, Settings
from shared.clock import Clock
from shared.process import Service, assemble

CHANGE_SECURITY = Service(SERVICE, SCHEMA, Path(__file__).parent / "migrations")


def build(settings: Settings, *, clock: Clock | None = None, exporter: SpanExporter | None = None) -> FastAPI:
    """Make the process. `clock` and `exporter` replace the machine's clock and the span exporter that is set."""
    if settings.is_joint:
        from services.change_security.joint.app import parts  # noqa: PLC0415 - a city's image has no joint/
    else:
        from services.change_security.authority.app import parts  # noqa: PLC0415 - the other side is not loaded
    return assemble(
        CHANGE_SECURITY, settings, lambda database: parts(settings, database), clock=clock, exporter=exporter
    )
