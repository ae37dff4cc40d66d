"""The version before works on the schema of the next: a migration grows it, or says what nothing uses any more."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from deploy.images import version
from deploy.schema_changes import contracting

ROOT = Path(__file__).parents[2]
FIRST_RELEASE = {"advisory": "0006", "change_security": "0012", "placement": "0009", "training": "0009"}
"""The schemas of 0.1.0: no version before it has to work with them. What comes after follows the rule."""


def script(service: str) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "services" / service / "migrations"))
    return ScriptDirectory.from_config(config)


class Recorder:
    """Stands for alembic's `op`: only SQL can be looked at."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, statement: Any) -> None:
        self.statements.append(str(statement))


def statements_of(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    recorder = Recorder()
    monkeypatch.setattr(module, "op", recorder)
    module.upgrade()
    return recorder.statements


def released(changelog: str) -> list[tuple[int, ...]]:
    return [tuple(map(int, found.split("."))) for found in re.findall(r"^## \[([\d.]+)\]", changelog, re.MULTILINE)]


def faults_of(module: ModuleType, found: list[str], changelog: str) -> list[str]:
    """What is wrong with a migration that takes away what `found` says."""
    since = getattr(module, "CONTRACTS", None)
    if since is None:
        return found
    number = tuple(map(int, str(since).split(".")))
    checks = {
        f"{since} was never released": number in released(changelog),
        f"the version before may be older than {since}": number < tuple(map(int, version().split("."))),
        "it takes nothing away, and needs no CONTRACTS": bool(found),
    }
    return [fault for fault, holds in checks.items() if not holds]


def test_the_version_before_works_on_the_new_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    faults = {}
    for service, first in FIRST_RELEASE.items():
        scripts = script(service)
        (head,) = scripts.get_heads()
        for revision in scripts.iterate_revisions(head, first):
            module: ModuleType = revision.module
            faults[service, revision.revision] = faults_of(
                module, contracting(statements_of(module, monkeypatch)), changelog
            )
    assert {place: found for place, found in faults.items() if found} == {}


def test_a_contracting_migration_names_a_released_version_that_is_not_this_one() -> None:
    changelog = "## [0.1.0] - 2026-11-25\n## [0.0.9] - 2026-01-01\n"
    module = ModuleType("migration")
    assert faults_of(module, ["thing: drops column a"], changelog) == ["thing: drops column a"]
    for since, faults in (
        ("0.0.9", []),
        ("0.0.8", ["0.0.8 was never released"]),
        (version(), [f"the version before may be older than {version()}"]),
    ):
        module.CONTRACTS = since  # type: ignore[attr-defined]
        assert faults_of(module, ["thing: drops column a"], f"{changelog}## [{version()}]\n") == faults
    module.CONTRACTS = "0.0.9"  # type: ignore[attr-defined]
    assert faults_of(module, [], changelog) == ["it takes nothing away, and needs no CONTRACTS"]


def test_every_service_has_a_first_release_and_one_head() -> None:
    assert set(FIRST_RELEASE) == {path.parent.name for path in ROOT.glob("services/*/migrations")}
    for service, first in FIRST_RELEASE.items():
        scripts = script(service)
        assert scripts.get_revision(first) is not None
        assert len(scripts.get_heads()) == 1


def test_migrations_that_were_made_before_the_rule_are_seen_through(monkeypatch: pytest.MonkeyPatch) -> None:
    module = script("change_security").get_revision("0003").module
    assert contracting(statements_of(module, monkeypatch)) == [
        "idempotency: drops the table",
        "notice: renames column status",
        "authority_case: renames column status",
    ]


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DROP TABLE IF EXISTS thing", "thing: drops the table"),
        ("ALTER TABLE thing DROP COLUMN a", "thing: drops column a"),
        ("ALTER TABLE thing ADD COLUMN z int, DROP COLUMN IF EXISTS a", "thing: drops column a"),
        ("ALTER TABLE thing RENAME COLUMN a TO b", "thing: renames column a"),
        ("ALTER TABLE thing RENAME TO other", "thing: renames the table to other"),
        ("ALTER TABLE thing ALTER COLUMN a TYPE bigint", "thing: changes the type of column a"),
        ("ALTER TABLE thing ALTER COLUMN a SET NOT NULL", "thing: makes column a needed"),
        ("ALTER TABLE thing ALTER a DROP DEFAULT", "thing: takes the default from column a"),
        ("ALTER TABLE thing ADD CONSTRAINT positive CHECK (a > 0)", "thing: adds CONSTRAINT positive"),
        ("CREATE UNIQUE INDEX thing_a ON thing (a)", "thing: adds a unique index"),
        ("ALTER TABLE thing\n  ADD COLUMN a text UNIQUE", "thing: adds column a that is unique"),
        (
            "ALTER TABLE thing ADD COLUMN a numeric(4, 2) NOT NULL, ADD COLUMN b int DEFAULT 1",
            "thing: adds column a that may not be missing, without a default",
        ),
    ],
)
def test_what_the_version_before_cannot_work_with_is_noticed(statement: str, finding: str) -> None:
    assert contracting([statement]) == [finding]


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE thing (a int NOT NULL)", "CREATE UNIQUE INDEX thing_a ON thing (a)"],
        ["ALTER TABLE thing ADD COLUMN a text, ADD COLUMN b int NOT NULL DEFAULT 0"],
        ["ALTER TABLE thing ALTER COLUMN a DROP NOT NULL"],
        ["CREATE INDEX thing_a ON thing (a)", "DROP INDEX thing_b"],
    ],
)
def test_what_only_grows_a_schema_is_allowed(statements: list[str]) -> None:
    assert contracting(statements) == []
