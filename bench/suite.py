"""The measured side: change security's own process, with a span exporter that drops spans, as the baseline's does."""

from bench.null_exporter import NullExporter
from services.change_security.app import build
from services.change_security.settings import SERVICE, Settings
from shared.process import serve
from shared.telemetry import configure_logging


def main() -> None:
    """Run."""
    settings = Settings()
    configure_logging(SERVICE, settings)
    serve(build(settings, exporter=NullExporter()), settings)


if __name__ == "__main__":
    main()
