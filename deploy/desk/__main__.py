"""Runs a city's desk: `DESK_OFFICE=vantaa DESK_SERVICES='{"advisory": "http://…"}' … python -m deploy.desk`."""

import uvicorn

from deploy.desk.app import build
from deploy.desk.settings import Settings


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = Settings()
    uvicorn.run(
        build(settings),
        host=settings.desk_host,
        port=settings.desk_port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
