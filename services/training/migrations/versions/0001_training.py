"""The first tables: messaging, the joint office's courses, groups, queue and seats, a city's own applications."""

from alembic import op

from shared.messaging.schema import DDL

revision = "0001"
down_revision = None

_TABLES = (
    # -- the joint office; a city keeps a copy of the catalogue in the same two tables
    """
    CREATE TABLE course (
        course_id uuid PRIMARY KEY,
        version integer NOT NULL,
        course jsonb NOT NULL,
        occupation text NOT NULL
    )
    """,
    """
    CREATE TABLE course_group (
        group_id uuid PRIMARY KEY,
        course_id uuid NOT NULL,
        version integer NOT NULL,
        state text NOT NULL,
        details jsonb NOT NULL,
        starts_on date NOT NULL
    )
    """,
    "CREATE INDEX course_group_course ON course_group (course_id)",
    """
    CREATE TABLE application (
        application_id uuid PRIMARY KEY,
        course_id uuid NOT NULL,
        office text NOT NULL,
        reference text NOT NULL,
        points integer NOT NULL,
        queued_at timestamptz NOT NULL,
        languages text[] NOT NULL,
        municipality text NOT NULL,
        travel text[] NOT NULL,
        can_start_from date NOT NULL,
        state text NOT NULL,
        version integer NOT NULL,
        group_id uuid,
        reason text NOT NULL
    )
    """,
    (
        "CREATE INDEX application_queue ON application (course_id, points DESC, queued_at, application_id)"
        " WHERE state = 'waiting'"
    ),
    """
    CREATE TABLE seat_offer (
        offer_id uuid PRIMARY KEY,
        group_id uuid NOT NULL REFERENCES course_group,
        application_id uuid NOT NULL REFERENCES application,
        state text NOT NULL,
        reason text NOT NULL,
        made_at timestamptz NOT NULL,
        answer_by timestamptz NOT NULL,
        answered_at timestamptz
    )
    """,
    "CREATE INDEX seat_offer_group ON seat_offer (group_id)",
    # The last word on "no seat is given twice": an applicant holds at most one seat, whatever the code above does.
    "CREATE UNIQUE INDEX seat_offer_held ON seat_offer (application_id) WHERE state IN ('open', 'accepted')",
    """
    CREATE TABLE decision (
        decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        subject_id uuid NOT NULL,
        act text NOT NULL,
        reason text NOT NULL,
        actor text NOT NULL,
        competent_authority text,
        acting_authority text,
        at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX decision_subject ON decision (subject_id)",
    """
    CREATE TABLE formation (
        formation_id uuid PRIMARY KEY,
        course_id uuid NOT NULL,
        slots jsonb NOT NULL,
        placements jsonb NOT NULL,
        made_by text NOT NULL,
        made_at timestamptz NOT NULL,
        adopted_at timestamptz
    )
    """,
    """
    CREATE TABLE proposal (
        proposal_id uuid PRIMARY KEY,
        proposed jsonb NOT NULL,
        proposed_by text NOT NULL,
        proposed_at timestamptz NOT NULL,
        state text NOT NULL,
        group_id uuid
    )
    """,
    """
    CREATE TABLE pool_candidates (
        request_id uuid NOT NULL,
        group_id uuid NOT NULL,
        office text NOT NULL,
        candidates jsonb,
        received_at timestamptz,
        PRIMARY KEY (request_id, office)
    )
    """,
    "CREATE INDEX pool_candidates_group ON pool_candidates (group_id)",
    """
    CREATE TABLE invitation (
        invitation_id uuid PRIMARY KEY,
        group_id uuid NOT NULL,
        office text NOT NULL,
        reference text NOT NULL,
        invited_at timestamptz NOT NULL,
        UNIQUE (group_id, office, reference)
    )
    """,
    """
    CREATE TABLE released (
        notice_id uuid PRIMARY KEY,
        version integer NOT NULL,
        releases jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE demand (
        vacancy_id uuid PRIMARY KEY,
        version integer NOT NULL,
        occupation text NOT NULL,
        municipality text NOT NULL,
        positions integer NOT NULL
    )
    """,
    # -- a city's office
    """
    CREATE TABLE own_application (
        application_id uuid PRIMARY KEY,
        applicant_id text,
        course_id uuid NOT NULL,
        application jsonb NOT NULL,
        assessment jsonb NOT NULL,
        state text NOT NULL,
        group_id uuid,
        version integer NOT NULL,
        reason text NOT NULL,
        moved_to text,
        received_by text NOT NULL,
        received_at timestamptz NOT NULL
    )
    """,
    (
        "CREATE UNIQUE INDEX own_application_once ON own_application (applicant_id, course_id)"
        " WHERE state IN ('waiting', 'offered', 'accepted') AND moved_to IS NULL"
    ),
    """
    CREATE TABLE own_offer (
        offer_id uuid PRIMARY KEY,
        application_id uuid NOT NULL REFERENCES own_application,
        group_id uuid NOT NULL,
        starts_on date NOT NULL,
        answer_by timestamptz NOT NULL,
        reason text NOT NULL,
        state text NOT NULL,
        answered_at timestamptz
    )
    """,
    "CREATE INDEX own_offer_open ON own_offer (answer_by) WHERE state = 'open'",
    """
    CREATE TABLE own_invitation (
        invitation_id uuid PRIMARY KEY,
        group_id uuid NOT NULL,
        course_id uuid NOT NULL,
        reference text NOT NULL,
        invited_at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Create everything. What another office's side would use stays empty."""
    for statement in (*DDL, *_TABLES):
        op.execute(statement)
