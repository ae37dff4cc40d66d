"""The rules of the house, each a test."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.stack import SERVICES, Stack
from shared.database import engine_for
from shared.handover.tables import HandOverRow
from shared.http.transactions import FirstAnswer
from shared.settings import ProcessSettings
from shared.topics import TOPICS

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py"))
HANDLERS = sorted(path for folder in ("services", "shared/handover") for path in (ROOT / folder).rglob("handlers.py"))
ROUTERS = [path for path in SOURCES if "= APIRouter(" in path.read_text(encoding="utf-8") and path.stem != "health"]
"""Every module with routes; that of health keeps no answers and lists nothing."""
KNOW_NO_CALLER = {
    "services/advisory/joint/public_api.py: router",
    "services/change_security/joint/delivery_api.py: pages",
}
"""They are called without a token, so no caller's first answers can be kept: what they act on makes an act single."""
WHOLE_LISTS = {
    "adopt": "the groups of one formation",
    "adopt_plan": "the groups of one plan",
    "account": "a line for each home authority",
    "count_parked": "a line for each topic and reason",
    "decide_resources": "the decisions on one task",
    "decide_response_time": "the decisions on one channel",
    "enter_attendance": "the seats of one group",
    "list_participants": "the seats of one proposal",
    "read_attendance": "the seats of one group",
    "read_lag": "a line for each topic",
    "read_plan": "the steps of one plan",
    "read_reached": "a line for each channel",
    "read_resources": "the decisions on one task",
    "read_response_times": "the decisions on one channel",
    "read_shares": "a line for each authority",
    "replay_group": "as many as the request names",
}
"""Lists that are answered whole, and what bounds each: it does not grow with time or use."""
ANSWERS_ARE_NOT_KEPT = {"ask_caller", "ask_contact", "ask_own_contact", "resolve_reference"}
"""They answer with a person, by a query that is logged each time, also when it is refused."""
KERNEL_TABLES = {"inbox", "outbox", "parked", "parking_act", "alembic_version"}
TOOLS = sorted(path for folder in ("bench", "deploy", "faults") for path in (ROOT / folder).rglob("*.py"))


def test_import_contracts_hold() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("path", [*SOURCES, *TOOLS], ids=lambda path: str(path.relative_to(ROOT)))
def test_the_environment_is_read_in_settings_alone(path: Path) -> None:
    if path.name == "settings.py" or path == ROOT / "deploy/local/stack.py":  # the stack hands its own on to processes
        return
    assert not re.search(r"\bos\.environ|\bgetenv\b", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", TOOLS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tools_that_users_run_import_no_tests(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    ]
    assert not [name for name in imported if name.partition(".")[0] == "tests"]
    named = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in named if text.startswith("tests.")], "a module that is run by its name"


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


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_handlers_leave_errors_transactions_and_telemetry_to_the_kernel(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    assert not [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Try)]
    assert not re.search(r"commit\(|rollback\(|start_span|structlog|logging", code)


def test_every_side_has_its_handlers_in_one_place() -> None:
    sides = [f"services/{service}/{side}/handlers.py" for service in SERVICES for side in ("joint", "authority")]
    assert {path.relative_to(ROOT).as_posix() for path in HANDLERS} == {*sides, "shared/handover/handlers.py"}


def routes_of(path: Path) -> Iterator[tuple[str, str, ast.AsyncFunctionDef]]:
    """Yield a module's routes: the router's name, the method, the function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                router, _, method = ast.unparse(decorator).partition("(")[0].partition(".")
                if method in {"get", "post", "put", "delete", "patch"}:
                    yield router, method, node


def routers_of(path: Path) -> dict[str, ast.Call]:
    """Return what makes each of a module's routers, by its name."""
    return {
        ast.unparse(node.targets[0]): node.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "APIRouter"
    }


@pytest.mark.parametrize("path", ROUTERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_writing_route_has_one_effect_under_a_key(path: Path) -> None:
    routers = routers_of(path)
    keyed = {name for name, call in routers.items() if "route_class=IdempotentRoute" in ast.unparse(call)}
    place = path.relative_to(ROOT).as_posix()
    assert {f"{place}: {name}" for name in routers.keys() - keyed} == {
        name for name in KNOW_NO_CALLER if name.startswith(place)
    }
    for router, method, route in routes_of(path):
        parameters = [ast.unparse(argument.annotation) for argument in route.args.args if argument.annotation]
        opens = bool({"WriteTx", "BeginTx"} & set(parameters))
        kept = method != "get" and router in keyed and route.name not in ANSWERS_ARE_NOT_KEPT
        assert opens is kept, f"{path}: {route.name}"


@pytest.mark.parametrize("path", ROUTERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_list_that_can_grow_is_answered_in_pages(path: Path) -> None:
    for _, _, route in routes_of(path):
        answers = [ast.unparse(route.returns)] if route.returns else []
        for decorator in route.decorator_list:
            if isinstance(decorator, ast.Call):
                answers += [ast.unparse(word.value) for word in decorator.keywords if word.arg == "response_model"]
        if any(re.match(r"(list|tuple|Sequence)\[", answer) for answer in answers):
            assert route.name in WHOLE_LISTS, f"{path}: {route.name}"


def test_every_list_that_is_answered_whole_is_one_of_a_route() -> None:
    assert WHOLE_LISTS.keys() <= {route.name for path in ROUTERS for _, _, route in routes_of(path)}


@pytest.mark.parametrize("path", ROUTERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_routes_are_functions_of_their_module(path: Path) -> None:
    functions = {node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if hasattr(node, "name")}
    assert {route.name for _, _, route in routes_of(path)} <= functions


def test_lines_are_short() -> None:
    for path in [*SOURCES, *TOOLS, *(ROOT / "tests").rglob("*.py")]:
        long = [
            number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if len(line) > 120
        ]
        assert not long, f"{path}: lines {long}"


def test_all_queries_stand_in_the_store() -> None:
    for path in (ROOT / "services").rglob("*.py"):
        named = {"tables", "catalogue", "advisory_view", "outgoing"}
        if path.stem in named or path.stem.endswith("store") or "migrations" in path.parts:
            continue
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"\bselect\(|\btext\(\s*[\"']|\bINSERT INTO\b|\bUPDATE [a-z_]+ SET\b", code), path


def test_topic_names_have_dots_and_hyphens_and_a_version_last() -> None:
    for topic in TOPICS:
        name = topic.name.format(office="city") if topic.per_office else topic.name
        assert re.fullmatch(r"(inbound|receipts|to|from|shared|between)\.[a-z.-]+\.v\d+", name)


def test_the_repository_names_no_registry_and_no_machines_path() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    hosts = re.compile(r"pypi\.org|pythonhosted|repo1?\.maven|maven\.org|npmjs|crates\.io|proxy\.golang|/work/|/root/")
    for name in listed.splitlines():
        path = ROOT / name
        if path.suffix in {".png", ".svg"} or path == Path(__file__) or not path.exists():
            continue
        assert not hosts.search(path.read_text(encoding="utf-8")), name
    assert "uv.lock" not in listed


@pytest.mark.parametrize("service", SERVICES)
async def test_the_migrations_make_the_tables_that_the_models_describe(stack: Stack, service: str) -> None:
    environment: dict[str, Any] = {name.lower(): value for name, value in stack.environment("pks").items()}
    settings = ProcessSettings(**environment)
    engine = engine_for(settings, service)
    assert await _differences(engine, tables_of(service)) == []
    await engine.dispose()


def tables_of(service: str) -> list[MetaData]:
    """The tables of a service: those of its two sides, of both, and those that shared code brings."""
    modules = [f"services.{service}.{name}" for name in ("joint.tables", "authority.tables", "catalogue", "outgoing")]
    found = [import_module(name).metadata for name in modules if find_spec(name) is not None]
    return [*found, FirstAnswer.metadata, *([] if service == "advisory" else [HandOverRow.metadata])]


async def _differences(engine: AsyncEngine, wanted: Any) -> list[object]:
    def keep(name: str | None, kind: str, _: object) -> bool:
        return not (kind == "table" and name in KERNEL_TABLES)

    async with engine.connect() as connection:
        return list(
            await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(sync, opts={"include_name": keep, "compare_type": True}), wanted
                )
            )
        )


def test_each_service_runs_from_shared_code_and_itself_alone(tmp_path: Path) -> None:
    running = {}
    for service in sorted(path.parent.name for path in (ROOT / "services").glob("*/__main__.py")):
        alone = tmp_path / service
        (alone / "services").mkdir(parents=True)
        (alone / "shared").symlink_to(ROOT / "shared")
        (alone / "services" / "__init__.py").symlink_to(ROOT / "services" / "__init__.py")
        (alone / "services" / service).symlink_to(ROOT / "services" / service)
        running[service] = subprocess.Popen(
            [sys.executable, "-m", f"services.{service}", "--help"],
            cwd=alone,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin"},
        )
    for service, process in running.items():
        _, errors = process.communicate()
        assert process.returncode == 0, f"{service}: {errors}"
