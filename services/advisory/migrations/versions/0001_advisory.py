"""The first tables: messaging, the joint office's contacts, officers, hand-overs and guidance, a city's contacts."""

from alembic import op

from shared.messaging.schema import DDL

revision = "0001"
down_revision = None

_TABLES = (
    # -- the joint office
    """
    CREATE TABLE contact (
        contact_id uuid PRIMARY KEY,
        contact jsonb NOT NULL,
        topic text NOT NULL,
        business_id text,
        received_at timestamptz NOT NULL,
        competent_authority text,
        filed_by text NOT NULL,
        state text NOT NULL,
        version integer NOT NULL,
        officer text,
        acting_authority text,
        reason text NOT NULL,
        joined_into uuid,
        callers text[] NOT NULL,
        person jsonb,
        source_reference text,
        assigned_at timestamptz,
        answered_at timestamptz,
        closed_at timestamptz,
        minutes integer
    )
    """,
    "CREATE INDEX contact_waiting ON contact (received_at, contact_id) WHERE state = 'new'",
    "CREATE INDEX contact_open ON contact (officer) WHERE state = 'assigned'",
    "CREATE INDEX contact_handled ON contact (assigned_at, acting_authority)",
    "CREATE INDEX contact_employer ON contact (business_id, received_at)",
    """
    CREATE TABLE contact_act (
        act_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        contact_id uuid NOT NULL REFERENCES contact,
        act text NOT NULL,
        actor text NOT NULL,
        reason text NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX contact_act_contact ON contact_act (contact_id)",
    """
    CREATE TABLE caller_query (
        query_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        contact_id uuid NOT NULL,
        asked_by text NOT NULL,
        authority text NOT NULL,
        purpose text NOT NULL,
        answered boolean NOT NULL,
        at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE adviser (
        officer text PRIMARY KEY,
        office text NOT NULL,
        version integer NOT NULL,
        topics text[] NOT NULL,
        languages text[] NOT NULL,
        person_years double precision NOT NULL,
        absences jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE agreed (
        task text NOT NULL,
        authority text NOT NULL,
        valid_from date NOT NULL,
        person_years double precision NOT NULL,
        decided_on date NOT NULL,
        decided_by text NOT NULL,
        reason text NOT NULL,
        PRIMARY KEY (task, authority, valid_from)
    )
    """,
    """
    CREATE TABLE hand_over (
        hand_over_id uuid PRIMARY KEY,
        contact_id uuid NOT NULL REFERENCES contact,
        from_authority text NOT NULL,
        from_officer text NOT NULL,
        to_authority text,
        to_service text,
        reason text NOT NULL,
        asked_at timestamptz NOT NULL,
        due_at timestamptz NOT NULL,
        state text NOT NULL,
        matter_id uuid,
        answer text,
        answered_at timestamptz,
        is_overdue boolean NOT NULL DEFAULT false
    )
    """,
    "CREATE INDEX hand_over_open ON hand_over (due_at) WHERE state IN ('asked', 'stored') AND NOT is_overdue",
    """
    CREATE TABLE asked (
        request_id uuid PRIMARY KEY,
        kind text NOT NULL,
        question jsonb NOT NULL,
        asked_by text NOT NULL,
        asked_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE answered (
        request_id uuid NOT NULL REFERENCES asked,
        service text NOT NULL,
        answer jsonb,
        received_at timestamptz,
        PRIMARY KEY (request_id, service)
    )
    """,
    """
    CREATE TABLE article (
        article_id uuid NOT NULL,
        version integer NOT NULL,
        topic text NOT NULL,
        texts jsonb NOT NULL,
        owner text NOT NULL,
        review_by date NOT NULL,
        written_by text NOT NULL,
        written_at timestamptz NOT NULL,
        approved_by text,
        approved_on date,
        PRIMARY KEY (article_id, version)
    )
    """,
    """
    CREATE TABLE guidance_given (
        contact_id uuid NOT NULL,
        article_id uuid NOT NULL,
        version integer NOT NULL,
        business_id text,
        given_at timestamptz NOT NULL,
        PRIMARY KEY (contact_id, article_id, version)
    )
    """,
    "CREATE INDEX guidance_given_employer ON guidance_given (business_id)",
    """
    CREATE TABLE announcement (
        announcement_id uuid PRIMARY KEY,
        texts jsonb NOT NULL,
        audiences text[] NOT NULL,
        publish_on date NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE announcement_receipt (
        announcement_id uuid NOT NULL REFERENCES announcement,
        office text NOT NULL,
        stored_at timestamptz,
        published_at timestamptz,
        PRIMARY KEY (announcement_id, office)
    )
    """,
    # -- a city's office
    """
    CREATE TABLE own_contact (
        contact_id uuid PRIMARY KEY,
        version integer NOT NULL,
        contact jsonb NOT NULL,
        state text NOT NULL,
        officer text NOT NULL,
        competent_authority text,
        reason text NOT NULL,
        hand_over_id uuid,
        is_acknowledged boolean NOT NULL,
        is_overdue boolean NOT NULL DEFAULT false,
        person jsonb,
        received_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX own_contact_officer ON own_contact (officer, received_at)",
    """
    CREATE TABLE own_adviser (
        officer text PRIMARY KEY,
        listed jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE own_announcement (
        announcement_id uuid PRIMARY KEY,
        announcement jsonb NOT NULL,
        stored_at timestamptz NOT NULL,
        published_at timestamptz
    )
    """,
    """
    CREATE TABLE own_article (
        article_id uuid PRIMARY KEY,
        version integer NOT NULL,
        article jsonb NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Create everything. What another office's side would use stays empty."""
    for statement in (*DDL, *_TABLES):
        op.execute(statement)
