"""The rules of the house, each a test."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.stack import Stack
from services.change_security.authority.tables import metadata as cases
from services.change_security.joint.tables import metadata as notices
from services.change_security.settings import SCHEMA, Settings
from shared.database import engine_for
from shared.topics import TOPICS

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py"))
SHARED_TABLES = {"inbox", "outbox", "parked", "parking_act", "alembic_version", "handed_over", "first_answer"}


def test_import_contracts_hold() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_environment_is_read_in_settings_alone(path: Path) -> None:
    if path.name == "settings.py":
        return
    assert not re.search(r"\bos\.environ|\bgetenv\b", path.read_text(encoding="utf-8"))


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = {path.stem for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    assert names.isdisjoint({"utils", "helpers", "common", "core", "base", "misc"})


def test_shared_code_knows_no_city_and_no_authority() -> None:
    words = re.compile(r"helsinki|espoo|vantaa|kauniainen|\bpks\b", re.IGNORECASE)
    for path in (ROOT / "shared").rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        # The time zone of the law's days is named after a city; it is not one.
        code = code.replace('ZoneInfo("Europe/Helsinki")', "").replace("Helsinki capital region", "")
        assert not words.search(code), path


def test_handlers_leave_errors_transactions_and_telemetry_to_the_kernel() -> None:
    tree = ast.parse((ROOT / "services/change_security/authority/handlers.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
    for name in ("joint", "authority"):
        code = (ROOT / f"services/change_security/{name}/handlers.py").read_text(encoding="utf-8")
        assert not re.search(r"commit\(|rollback\(|start_span|structlog|logging", code)


def test_all_queries_stand_in_the_store() -> None:
    for path in (ROOT / "services").rglob("*.py"):
        if path.name in {"store.py", "tables.py"} or "migrations" in path.parts:
            continue
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"\bselect\(|\btext\(\s*[\"']|\bINSERT INTO\b|\bUPDATE [a-z_]+ SET\b", code), path


def test_topic_names_have_dots_and_hyphens_and_a_version_last() -> None:
    for topic in TOPICS:
        name = topic.name.format(office="city") if topic.per_office else topic.name
        assert re.fullmatch(r"(inbound|to|from|shared|between)\.[a-z.-]+\.v\d+", name)


def test_the_repository_names_no_registry_and_no_machines_path() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    hosts = re.compile(r"pypi\.org|pythonhosted|repo1?\.maven|maven\.org|npmjs|crates\.io|proxy\.golang|/work/|/root/")
    for name in listed.splitlines():
        path = ROOT / name
        if path.suffix in {".png", ".svg"} or path == Path(__file__) or not path.exists():
            continue
        assert not hosts.search(path.read_text(encoding="utf-8")), name
    assert "uv.lock" not in listed


async def test_the_migrations_make_the_tables_that_the_models_read(stack: Stack) -> None:
    settings = Settings(**{name.lower(): value for name, value in stack.environment("pks").items()})  # type: ignore[arg-type]
    engine = engine_for(settings, SCHEMA)
    both = MetaData()
    for table in (*notices.sorted_tables, *cases.sorted_tables):
        table.to_metadata(both)
    assert await _differences(engine, both) == []
    await engine.dispose()


async def _differences(engine: AsyncEngine, wanted: MetaData) -> list[object]:
    def keep(name: str | None, kind: str, _: object) -> bool:
        return not (kind == "table" and name in SHARED_TABLES)

    async with engine.connect() as connection:
        return list(
            await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(sync, opts={"include_name": keep, "compare_type": True}), wanted
                )
            )
        )


def test_each_service_runs_from_shared_code_and_itself_alone(tmp_path: Path) -> None:
    for service in sorted(path.parent.name for path in (ROOT / "services").glob("*/__main__.py")):
        alone = tmp_path / service
        (alone / "services").mkdir(parents=True)
        (alone / "shared").symlink_to(ROOT / "shared")
        (alone / "services" / "__init__.py").symlink_to(ROOT / "services" / "__init__.py")
        (alone / "services" / service).symlink_to(ROOT / "services" / service)
        ran = subprocess.run(
            [sys.executable, "-m", f"services.{service}", "--help"],
            cwd=alone,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin"},
        )
        assert ran.returncode == 0, ran.stderr
