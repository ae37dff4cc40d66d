"""Makes a placement process: the joint side in the joint office, the authority side in each city's."""

from functools import partial
from pathlib import Path

from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SpanExporter

from services.placement.settings import SCHEMA, SERVICE, Settings
from shared.clock import Clock
from shared.process import Service, assemble

PLACEMENT = Service(SERVICE, SCHEMA, Path(__file__).parent / "migrations")


def build(settings: Settings, *, clock: Clock | None = None, exporter: SpanExporter | None = None) -> FastAPI:
    """Make the process. `clock` and `exporter` replace the machine's clock and the span exporter that is set.

    Raises:
        ValueError: a city has no pool key.
    """
    if settings.is_joint:
        from services.placement.joint.app import parts  # noqa: PLC0415 - a city's image has no joint/
    else:
        from services.placement.authority.app import parts  # noqa: PLC0415
    return assemble(PLACEMENT, settings, partial(parts, settings), clock=clock, exporter=exporter)
