"""Joint handling with its lead and specialist, the shared plan, acting for another by consent, and the acts of a case.

Before, an authority could take another's part without being asked. That was no consent: such a part is its competent
authority's again, which is to acknowledge it itself.
"""

from alembic import op

revision = "0005"
down_revision = "0003"

_STATEMENTS = (
    "ALTER TABLE notice ADD COLUMN handling jsonb, ADD COLUMN lead text, ADD COLUMN specialist text",
    "CREATE INDEX notice_led ON notice (lead, registered_at) WHERE lead IS NOT NULL",
    """
    CREATE INDEX notice_unstaffed ON notice (notice_id)
    WHERE state = 'open' AND specialist IS NULL AND (handling IS NULL OR handling ->> 'mode' = 'joint')
    """,
    "ALTER TABLE ledger_entry ADD COLUMN acknowledged_by text, ADD COLUMN case_closed_by text",
    "UPDATE ledger_entry SET acknowledged_by = acting_authority WHERE acknowledged_at IS NOT NULL",
    "UPDATE ledger_entry SET case_closed_by = acting_authority WHERE case_closed_at IS NOT NULL",
    """
    UPDATE ledger_entry SET state = 'stored', acting_authority = authority, acknowledged_at = NULL,
        acknowledged_by = NULL
    WHERE state = 'taken_by' AND acting_authority <> authority
    """,
    "ALTER TABLE authority_case ADD COLUMN handling jsonb",
    "UPDATE authority_case SET acting_authority = competent_authority WHERE acting_authority <> competent_authority",
    "ALTER TABLE case_note ADD COLUMN shared boolean NOT NULL DEFAULT false, ADD COLUMN authority text",
    """
    CREATE TABLE handling_change (
        notice_id uuid NOT NULL,
        version integer NOT NULL,
        handling jsonb NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (notice_id, version)
    )
    """,
    """
    CREATE TABLE specialist (
        officer text NOT NULL,
        authority text NOT NULL,
        version integer NOT NULL,
        languages jsonb NOT NULL,
        person_years double precision NOT NULL,
        absences jsonb NOT NULL,
        PRIMARY KEY (officer)
    )
    """,
    """
    CREATE TABLE acting (
        acting_id uuid NOT NULL,
        notice_id uuid NOT NULL,
        competent_authority text NOT NULL,
        state text NOT NULL,
        asked_at timestamptz NOT NULL,
        acting jsonb NOT NULL,
        PRIMARY KEY (acting_id)
    )
    """,
    "CREATE INDEX acting_of ON acting (notice_id, competent_authority)",
    "CREATE INDEX acting_state ON acting (state, asked_at, acting_id)",
    """
    CREATE TABLE plan_step (
        notice_id uuid NOT NULL,
        step_id uuid NOT NULL,
        step jsonb NOT NULL,
        PRIMARY KEY (notice_id, step_id)
    )
    """,
    """
    CREATE TABLE case_act (
        id bigint GENERATED ALWAYS AS IDENTITY,
        notice_id uuid NOT NULL,
        act text NOT NULL,
        detail text,
        competent_authority text NOT NULL,
        acting_authority text NOT NULL,
        officer text NOT NULL,
        legal_ground text NOT NULL,
        acting_id uuid,
        at timestamptz NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX case_act_of ON case_act (notice_id, id)",
    "CREATE INDEX case_act_of_others ON case_act (id) WHERE acting_id IS NOT NULL",
    """
    CREATE TABLE own_acting (
        acting_id uuid NOT NULL,
        notice_id uuid NOT NULL,
        acting_authority text NOT NULL,
        state text NOT NULL,
        asked_at timestamptz NOT NULL,
        acting jsonb NOT NULL,
        PRIMARY KEY (acting_id)
    )
    """,
    "CREATE INDEX own_acting_of ON own_acting (notice_id, acting_authority)",
    "CREATE INDEX own_acting_state ON own_acting (state, asked_at, acting_id)",
    """
    CREATE TABLE own_plan_step (
        notice_id uuid NOT NULL,
        step_id uuid NOT NULL,
        step jsonb NOT NULL,
        PRIMARY KEY (notice_id, step_id)
    )
    """,
    """
    CREATE TABLE own_specialist (
        officer text NOT NULL,
        listed jsonb NOT NULL,
        PRIMARY KEY (officer)
    )
    """,
)


def upgrade() -> None:
    """Create the tables, and give back the parts that were taken without consent."""
    for statement in _STATEMENTS:
        op.execute(statement)
