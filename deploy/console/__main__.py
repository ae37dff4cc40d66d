"""Runs the console: `CONSOLE_OFFICES='{"change_security": {"pks": "http://…"}}' python -m deploy.console`."""

import uvicorn

from deploy.console.app import build
from deploy.console.settings import Settings


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = Settings()
    uvicorn.run(
        build(settings),
        host=settings.console_host,
        port=settings.console_port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
