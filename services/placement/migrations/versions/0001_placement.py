"""The first tables: messaging, the joint office's vacancies and assignments, a city's pool and referrals."""

from alembic import op

from shared.messaging.schema import DDL

revision = "0001"
down_revision = None

_TABLES = (
    # -- the joint office
    """
    CREATE TABLE vacancy (
        vacancy_id uuid PRIMARY KEY,
        status text NOT NULL,
        version integer NOT NULL,
        revision integer NOT NULL,
        vacancy jsonb NOT NULL,
        filed_by text NOT NULL,
        isco text NOT NULL,
        municipality text NOT NULL,
        language text NOT NULL,
        expires_on date,
        changed_at timestamptz NOT NULL,
        changed_xid xid8 NOT NULL
    )
    """,
    "CREATE INDEX vacancy_changes ON vacancy (changed_xid, vacancy_id)",
    "CREATE INDEX vacancy_open ON vacancy (isco text_pattern_ops, municipality) WHERE status = 'open'",
    "CREATE INDEX vacancy_expiring ON vacancy (expires_on) WHERE status IN ('open', 'paused')",
    """
    CREATE TABLE vacancy_revision (
        vacancy_id uuid NOT NULL,
        revision integer NOT NULL,
        vacancy jsonb NOT NULL,
        filed_by text NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (vacancy_id, revision)
    )
    """,
    """
    CREATE TABLE assignment (
        assignment_id uuid PRIMARY KEY,
        vacancy_id uuid NOT NULL,
        wanted jsonb NOT NULL,
        at_most integer NOT NULL,
        asked_by text NOT NULL,
        asked_at timestamptz NOT NULL,
        answer_by timestamptz NOT NULL,
        trace_id text
    )
    """,
    """
    CREATE TABLE pool_answer (
        assignment_id uuid NOT NULL REFERENCES assignment,
        office text NOT NULL,
        answered_at timestamptz,
        received_at timestamptz,
        considered integer,
        candidates jsonb,
        PRIMARY KEY (assignment_id, office)
    )
    """,
    """
    CREATE TABLE referral (
        referral_id uuid PRIMARY KEY,
        assignment_id uuid NOT NULL REFERENCES assignment,
        vacancy_id uuid NOT NULL,
        office text NOT NULL,
        reference text NOT NULL,
        purpose text NOT NULL,
        requested_by text NOT NULL,
        requesting_authority text NOT NULL,
        state text NOT NULL,
        requested_at timestamptz NOT NULL,
        answered_at timestamptz,
        outcome text,
        UNIQUE (assignment_id, office, reference)
    )
    """,
    """
    CREATE TABLE job_offer (
        offer_id uuid PRIMARY KEY,
        referral_id uuid NOT NULL REFERENCES referral,
        binding boolean NOT NULL,
        answer_by timestamptz NOT NULL,
        state text NOT NULL,
        made_at timestamptz NOT NULL,
        answered_at timestamptz
    )
    """,
    """
    CREATE TABLE expected_supply (
        notice_id uuid NOT NULL,
        version integer NOT NULL,
        place integer NOT NULL,
        isco text NOT NULL,
        municipality text NOT NULL,
        count integer,
        masked boolean NOT NULL,
        available_from date,
        available_until date,
        PRIMARY KEY (notice_id, place)
    )
    """,
    "CREATE TABLE supply_version (notice_id uuid PRIMARY KEY, version integer NOT NULL)",
    # -- a city's office
    """
    CREATE TABLE jobseeker (
        jobseeker_id text PRIMARY KEY,
        reference text NOT NULL UNIQUE,
        name text NOT NULL,
        phone text,
        email text,
        municipality text NOT NULL,
        occupations text[] NOT NULL,
        groups text[] NOT NULL,
        skills text[] NOT NULL,
        languages text[] NOT NULL,
        commuting text[] NOT NULL,
        available_from date,
        updated_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX jobseeker_groups ON jobseeker USING gin (groups)",
    """
    CREATE TABLE asked (
        assignment_id uuid PRIMARY KEY,
        wanted jsonb NOT NULL,
        at_most integer NOT NULL,
        as_of date NOT NULL,
        asked_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE own_referral (
        referral_id uuid PRIMARY KEY,
        assignment_id uuid NOT NULL,
        vacancy_id uuid NOT NULL,
        reference text NOT NULL,
        purpose text NOT NULL,
        requesting_authority text NOT NULL,
        state text NOT NULL,
        requested_at timestamptz NOT NULL,
        answered_at timestamptz,
        answered_by text,
        outcome text
    )
    """,
    """
    CREATE TABLE own_offer (
        offer_id uuid PRIMARY KEY,
        referral_id uuid NOT NULL,
        binding boolean NOT NULL,
        answer_by timestamptz NOT NULL,
        state text NOT NULL,
        answered_at timestamptz
    )
    """,
    "CREATE INDEX own_offer_open ON own_offer (answer_by) WHERE state = 'open'",
    """
    CREATE TABLE contact_query (
        query_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        referral_id uuid NOT NULL,
        asked_by text NOT NULL,
        authority text NOT NULL,
        purpose text NOT NULL,
        answered boolean NOT NULL,
        at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Create everything. What another office's side would use stays empty."""
    for statement in (*DDL, *_TABLES):
        op.execute(statement)
