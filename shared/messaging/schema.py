"""The messaging tables, the same in every service's schema. A service's first migration creates them with `DDL`."""

from typing import Final

DDL: Final = (
    """
    CREATE TABLE inbox (
        event_id    uuid PRIMARY KEY,
        received_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX inbox_received_at ON inbox USING brin (received_at)",
    # xid8 first: a plain sequence is drawn before commit, so a reader at `seq > last` would step over the rows of a
    # slower writer. Rows are read only once every transaction that could precede them has ended.
    """
    CREATE TABLE outbox (
        seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
        event_id     uuid NOT NULL,
        topic        text NOT NULL,
        key          text NOT NULL,
        type         text NOT NULL,
        traceparent  text,
        payload      bytea NOT NULL,
        created_at   timestamptz NOT NULL DEFAULT now(),
        published_at timestamptz
    )
    """,
    "CREATE INDEX outbox_unpublished ON outbox (xid, seq) WHERE published_at IS NULL",
    "CREATE INDEX outbox_created_at ON outbox USING brin (created_at)",
    """
    CREATE TABLE parked (
        id          uuid PRIMARY KEY,
        topic       text NOT NULL,
        partition   integer NOT NULL,
        "offset"    bigint NOT NULL,
        key         bytea,
        headers     jsonb NOT NULL,
        payload     bytea,
        recorded_at timestamptz NOT NULL,
        type        text,
        code        text NOT NULL,
        detail      text NOT NULL,
        attempts    integer NOT NULL,
        status      text NOT NULL CHECK (status IN ('parked', 'held', 'replayed', 'discarded')),
        parked_at   timestamptz NOT NULL DEFAULT now(),
        resolved_at timestamptz,
        UNIQUE (topic, partition, "offset")
    )
    """,
    "CREATE INDEX parked_open ON parked (key) WHERE status IN ('parked', 'held')",
    """
    CREATE TABLE parking_act (
        id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        parked_id uuid NOT NULL REFERENCES parked (id),
        act       text NOT NULL CHECK (act IN ('replay', 'discard')),
        outcome   text NOT NULL,
        actor     text NOT NULL,
        reason    text NOT NULL,
        at        timestamptz NOT NULL DEFAULT now()
    )
    """,
)
