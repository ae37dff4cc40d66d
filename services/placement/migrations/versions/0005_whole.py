"""Consent that ends, positions that are filled, the classification of occupations, a supply that ends."""

from alembic import op

revision = "0005"
down_revision = "0004"

_CHANGES = (
    "CREATE TABLE occupation_concept (uri text PRIMARY KEY, isco text NOT NULL, label text)",
    # -- the joint office
    """
    ALTER TABLE vacancy
        ADD COLUMN municipalities text[],
        ADD COLUMN state_since timestamptz,
        ADD COLUMN filled integer NOT NULL DEFAULT 0
    """,
    """
    UPDATE vacancy AS v SET municipalities = ARRAY[municipality], state_since = changed_at, filled = (
        SELECT count(*) FROM referral AS r WHERE r.vacancy_id = v.vacancy_id AND r.outcome = 'hired'
    )
    """,
    """
    ALTER TABLE vacancy
        ALTER COLUMN municipalities SET NOT NULL,
        ALTER COLUMN state_since SET NOT NULL,
        ALTER COLUMN filled DROP DEFAULT,
        DROP COLUMN municipality
    """,
    "DROP INDEX IF EXISTS vacancy_open",
    "CREATE INDEX vacancy_open ON vacancy (isco text_pattern_ops) WHERE state = 'open'",
    "CREATE INDEX vacancy_reported ON vacancy (filed_by, changed_at)",
    """
    ALTER TABLE vacancy_revision
        ADD COLUMN isco text,
        ADD COLUMN municipalities text[],
        ADD COLUMN language text
    """,
    """
    UPDATE vacancy_revision AS r SET
        isco = v.isco, municipalities = ARRAY[r.vacancy ->> 'municipality'],
        language = coalesce(r.vacancy ->> 'language', 'fi')
    FROM vacancy AS v WHERE v.vacancy_id = r.vacancy_id
    """,
    """
    ALTER TABLE vacancy_revision
        ALTER COLUMN isco SET NOT NULL,
        ALTER COLUMN municipalities SET NOT NULL,
        ALTER COLUMN language SET NOT NULL
    """,
    "ALTER TABLE assignment ADD COLUMN refreshes uuid",
    "CREATE INDEX assignment_vacancy ON assignment (vacancy_id, asked_at)",
    "ALTER TABLE pool_answer ADD COLUMN stages jsonb",
    "ALTER TABLE referral ADD COLUMN consent_until date, ADD COLUMN consent_ended_at timestamptz",
    "CREATE INDEX referral_vacancy ON referral (vacancy_id, requested_at)",
    "ALTER TABLE expected_supply ADD COLUMN ends_on date",
    """
    UPDATE expected_supply SET ends_on = coalesce(available_until, coalesce(available_from, current_date) + 90)
    """,
    "ALTER TABLE expected_supply ALTER COLUMN ends_on SET NOT NULL",
    # -- a city's office
    "ALTER TABLE jobseeker ADD COLUMN active boolean NOT NULL DEFAULT true",
    """
    CREATE TABLE consent (
        consent_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        referral_id uuid NOT NULL,
        given_at timestamptz NOT NULL,
        how text,
        purpose text NOT NULL,
        until date,
        entered_by text NOT NULL,
        ended_at timestamptz,
        ended_how text,
        ended_by text
    )
    """,
    "CREATE INDEX consent_referral ON consent (referral_id)",
    # Of consents given before, how was not recorded.
    """
    INSERT INTO consent (referral_id, given_at, purpose, entered_by)
    SELECT referral_id, answered_at, purpose, coalesce(answered_by, '') FROM own_referral WHERE state = 'consented'
    """,
    """
    ALTER TABLE own_referral
        ADD COLUMN consent_until date,
        ADD COLUMN stay text,
        ADD COLUMN stay_answered_at timestamptz,
        ADD COLUMN stay_answered_by text
    """,
    "CREATE INDEX own_referral_consented ON own_referral (consent_until) WHERE state = 'consented'",
    """
    ALTER TABLE own_offer
        ADD COLUMN consequence text,
        ADD COLUMN rule_valid_from date,
        ADD COLUMN rule_source text,
        ADD COLUMN rule_certainty text,
        ADD COLUMN consequence_at timestamptz,
        ADD COLUMN handled_at timestamptz,
        ADD COLUMN handled_by text
    """,
    "CREATE INDEX own_offer_referral ON own_offer (referral_id)",
    "ALTER TABLE contact_query ALTER COLUMN referral_id DROP NOT NULL, ADD COLUMN reference text",
    """
    UPDATE contact_query AS q SET reference = r.reference FROM own_referral AS r WHERE r.referral_id = q.referral_id
    """,
    "CREATE INDEX contact_query_reference ON contact_query (reference)",
    """
    CREATE TABLE own_vacancy (
        vacancy_id uuid PRIMARY KEY,
        vacancy jsonb NOT NULL,
        isco text NOT NULL,
        taken_at timestamptz NOT NULL,
        taken_by text NOT NULL,
        registered_at timestamptz
    )
    """,
    "CREATE INDEX own_vacancy_taken ON own_vacancy (taken_at, vacancy_id)",
    """
    CREATE TABLE own_assignment (
        assignment_id uuid PRIMARY KEY,
        vacancy_id uuid NOT NULL,
        at_most integer NOT NULL,
        asked_at timestamptz NOT NULL,
        asked_by text NOT NULL,
        considered integer NOT NULL,
        candidates jsonb NOT NULL,
        stages jsonb
    )
    """,
    "CREATE INDEX own_assignment_vacancy ON own_assignment (vacancy_id)",
)


def upgrade() -> None:
    """Change the tables of both sides."""
    for statement in _CHANGES:
        op.execute(statement)
