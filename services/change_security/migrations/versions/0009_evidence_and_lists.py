"""Every authority's own receipt of a filing, what the lists are searched by, and the checklist by employee group."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from alembic import op
from sqlalchemy import text

revision = "0009"
down_revision = "0008"

_BATCH: Final = 1000
_HELSINKI: Final = ZoneInfo("Europe/Helsinki")
_SUMMARY: Final = (
    ("kind", "text"),
    ("business_id", "text"),
    ("employer", "text"),
    ("employer_key", "text"),
    ("not_public", "boolean"),
    ("municipalities", "jsonb"),
    ("measures", "jsonb"),
    ("affected", "bigint"),
    ("terminations", "bigint"),
    ("counts_complete", "boolean"),
    ("rules_of", "date"),
)

_JOINT: Final = (
    """
    ALTER TABLE notice ADD COLUMN filer_reference text, ADD COLUMN arrived_at_claimed timestamptz,
        ADD COLUMN revision_arrived_at timestamptz
    """,
    "ALTER TABLE notice_revision ADD COLUMN arrival jsonb",
    # Who received a filing itself was not kept: the city that registered it, else the joint office, whose name the
    # connection bears.
    """
    UPDATE notice_revision SET arrival = jsonb_build_object('receipts', jsonb_build_array(jsonb_build_object(
        'authority', CASE WHEN starts_with(filed_by, 'authority:') THEN substr(filed_by, 11)
                     ELSE coalesce(nullif(split_part(current_setting('application_name'), '.', 2), ''), 'joint') END,
        'arrived_at', coalesce((SELECT notice.arrived_at FROM notice WHERE notice.notice_id = notice_revision.notice_id
                                AND notice_revision.revision = 1 AND NOT waiting), recorded_at),
        'channel', CASE WHEN starts_with(filed_by, 'authority:') THEN 'authority'
                   WHEN starts_with(filed_by, 'topic:') THEN 'topic'
                   WHEN starts_with(filed_by, 'officer:') THEN 'officer' ELSE 'http' END)))
    """,
    "ALTER TABLE notice_revision ALTER COLUMN arrival SET NOT NULL",
    "UPDATE notice SET revision_arrived_at = coalesce(revised_at, arrived_at)",
)

_CITY: Final = (
    """
    ALTER TABLE authority_case ADD COLUMN declined_at timestamptz, ADD COLUMN filer_reference text,
        ADD COLUMN arrived_at_claimed timestamptz, ADD COLUMN earlier_reductions jsonb
    """,
    "ALTER TABLE case_revision ADD COLUMN arrived_at timestamptz",
    """
    UPDATE case_revision SET arrived_at = authority_case.arrived_at FROM authority_case
    WHERE case_revision.notice_id = authority_case.notice_id AND case_revision.revision = 1
    """,
    # What was checked by case is of no group; it stays with the case as a note.
    "INSERT INTO case_note (notice_id, text, by, at) SELECT notice_id, '55+: ' || item, by, at FROM case_check",
    "DROP TABLE case_check",
    """
    CREATE TABLE case_check (
        notice_id uuid NOT NULL,
        group_id uuid NOT NULL,
        item text NOT NULL,
        count integer NOT NULL,
        at timestamptz NOT NULL,
        by text NOT NULL,
        PRIMARY KEY (notice_id, group_id, item)
    )
    """,
    "CREATE INDEX authority_case_specialist ON authority_case (specialist) WHERE specialist IS NOT NULL",
)

_REQUIRED: Final = [name for name, _ in _SUMMARY if name not in {"employer", "employer_key"}]


def upgrade() -> None:
    """Add the columns, fill them from the filings that are stored, and make the indexes."""
    added = ", ".join(f"ADD COLUMN {name} {kind}" for name, kind in _SUMMARY)
    for statement in (*_JOINT, *_CITY, f"ALTER TABLE notice {added}", f"ALTER TABLE authority_case {added}"):
        op.execute(statement)
    _fill("notice", "notice_revision", "AND NOT waiting")
    _fill("authority_case", "case_revision", "")
    op.execute("ALTER TABLE notice " + ", ".join(f"ALTER COLUMN {name} SET NOT NULL" for name in _REQUIRED))
    op.execute("CREATE INDEX notice_business_id ON notice (business_id, rules_of)")
    op.execute("CREATE INDEX authority_case_business_id ON authority_case (business_id)")
    for table in ("notice", "authority_case"):
        op.execute(f"CREATE INDEX {table}_employer ON {table} (employer_key text_pattern_ops)")
        op.execute(
            f"CREATE INDEX {table}_filer_reference ON {table} (filer_reference) WHERE filer_reference IS NOT NULL"
        )
        op.execute(f"CREATE INDEX {table}_municipalities ON {table} USING gin (municipalities)")
        op.execute(f"CREATE INDEX {table}_arrived ON {table} USING brin (arrived_at)")


def _fill(table: str, revisions: str, only: str) -> None:
    connection = op.get_bind()
    after = "00000000-0000-0000-0000-000000000000"
    setting = ", ".join(
        f"{name} = CAST(:{name} AS {kind})" if kind == "jsonb" else f"{name} = :{name}" for name, kind in _SUMMARY
    )
    while True:
        rows = connection.execute(
            text(
                f"SELECT notice_id, {table}.arrived_at, CAST(filing AS text) AS filing"  # noqa: S608 - constants
                f" FROM {table} JOIN {revisions} USING (notice_id, revision)"
                f" WHERE notice_id > CAST(:after AS uuid) {only} ORDER BY notice_id LIMIT :limit"
            ),
            {"after": after, "limit": _BATCH},
        ).all()
        if not rows:
            return
        connection.execute(
            text(f"UPDATE {table} SET {setting} WHERE notice_id = :notice_id"),  # noqa: S608 - constants
            [
                {"notice_id": row.notice_id} | _summary(json.loads(row.filing), row.arrived_at)
                for row in rows
                if row.arrived_at is not None
            ],
        )
        after = str(rows[-1].notice_id)


def _summary(filing: dict[str, Any], arrived_at: datetime) -> dict[str, Any]:
    """Return what the lists say of a filing. It is read as it is stored: rules for new filings do not apply to it."""
    employer, negotiations = filing["employer"], filing.get("negotiations") or {}
    is_notice = filing["kind"] == "termination_notice"
    measures, dismissed = filing.get("measures", []), filing.get("terminations", [])
    parts = dismissed if is_notice else measures
    planned = dismissed if is_notice else [part for part in measures if part["measure"] == "termination"]
    given = None if is_notice else negotiations.get("given_on") or negotiations.get("personnel_informed_on")
    named = (
        employer.get("domicile"),
        *(site["municipality"] for site in filing.get("sites", [])),
        *(part.get("municipality") for part in dismissed),
        *(residence["municipality"] for residence in filing.get("residences", [])),
    )
    name = employer.get("name")
    return {
        "kind": filing["kind"],
        "business_id": employer["business_id"],
        "employer": name,
        "employer_key": " ".join(name.split()).casefold() if name else None,
        "not_public": filing.get("not_public", False),
        "municipalities": _unique(code for code in named if code),
        "measures": json.dumps(["termination"]) if is_notice else _unique(part["measure"] for part in measures),
        "affected": sum(part.get("count") or 0 for part in parts),
        "terminations": sum(part.get("count") or 0 for part in planned),
        "counts_complete": bool(parts) and all(part.get("count") is not None for part in parts),
        "rules_of": date.fromisoformat(given) if given else arrived_at.astimezone(_HELSINKI).date(),
    }


def _unique(values: Iterable[str]) -> str:
    return json.dumps(list(dict.fromkeys(values)))
