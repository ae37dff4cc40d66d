"""Writes the OpenAPI document of each service and side to docs/openapi: `python -m deploy.openapi`.

With `--check` it only tells whether they are up to date. A document is not overwritten with one that breaks callers of
the last, unless `--accept-breaking` says that the changelog tells them.
"""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI

from deploy.local.stack import CITIES, JOINT, SERVICES
from deploy.openapi_changes import breaking_changes

FOLDER: Final = Path(__file__).parents[1] / "docs" / "openapi"
SIDES: Final = {"joint": JOINT, "authority": CITIES[0]}


def document(service: str, side: str) -> dict[str, Any]:
    """Return the OpenAPI document of a side of a service. Nothing is connected to."""
    settings = import_module(f"services.{service}.settings").Settings(
        office=SIDES[side],
        joint_office=JOINT,
        city_offices=",".join(CITIES),
        database_url="postgresql://localhost/none",
        kafka_bootstrap_servers="localhost:9092",
        jwks_url="https://localhost/jwks.json",
        token_issuer="https://localhost",  # noqa: S106 - a name
        pool_key="none",
    )
    app: FastAPI = import_module(f"services.{service}.app").build(settings)
    made: dict[str, Any] = app.openapi()
    place = "joint office" if side == "joint" else "city"
    made["info"] |= {
        "title": f"{service.replace('_', ' ').capitalize()}, {place}",
        "description": f"What the process of {service} answers in a {place}. Conventions: docs/http.md.",
        "contact": {"name": "Joint employment services of the Helsinki capital region"},
    }
    made["servers"] = [{"url": "/", "description": "The office's own process."}]
    used = {tag for path in made["paths"].values() for operation in path.values() for tag in operation.get("tags", ())}
    made["tags"] = [{"name": tag} for tag in sorted(used)]
    return made


def files() -> dict[Path, str]:
    """Return every document with its content."""
    return {
        FOLDER / f"{service.replace('_', '-')}-{side}.json": (
            json.dumps(document(service, side), indent=2, ensure_ascii=False) + "\n"
        )
        for service in SERVICES
        for side in SIDES
    }


def refuse_breaking(path: Path, content: str) -> None:
    """Exit instead of overwriting a document with one that breaks callers."""
    if broken := breaking_changes(json.loads(path.read_text(encoding="utf-8")), json.loads(content)):
        sys.exit(f"{path.stem} would break its callers:\n" + "\n".join(broken))


def main() -> None:
    """Write the documents, or check them."""
    parser = argparse.ArgumentParser(prog="python -m deploy.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a document is not up to date")
    parser.add_argument("--accept-breaking", action="store_true", help="before 1.0, and with a line in the changelog")
    given = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for path, content in files().items():
        if given.check and (not path.exists() or path.read_text(encoding="utf-8") != content):
            sys.exit(f"{path.name} is not up to date: run python -m deploy.openapi")
        if not given.check:
            if path.exists() and not given.accept_breaking:
                refuse_breaking(path, content)
            path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
