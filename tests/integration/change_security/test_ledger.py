"""The one rule that stands twice: a store's receipt, in the domain and as one statement."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from uuid import uuid4

from opentelemetry.sdk.trace import TracerProvider

from deploy.local.stack import Stack
from services.change_security.domain.ledger import Entry, EntryState
from services.change_security.joint.store import Notices
from services.change_security.settings import SCHEMA, Settings
from shared.clock import SystemClock
from shared.database import engine_for
from shared.events.v1.change_security import HandlingMode, NoticeStored
from shared.messaging.transaction import Database
from tests.support.settings import settings_of

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


async def test_the_statement_that_enters_receipts_says_what_the_domain_says(stack: Stack) -> None:
    settings = settings_of(Settings, stack, "pks")
    engine = engine_for(settings, SCHEMA)
    database = Database(engine, "pks", SystemClock(), TracerProvider().get_tracer("test"))
    cases = {}
    for state, stored, escalated in product(EntryState, (0, 1, 3), (None, "stored", "acknowledged")):
        notice_id = uuid4()
        cases[notice_id] = Entry(
            notice_id=notice_id,
            authority="vantaa",
            office="vantaa",
            mode=HandlingMode.OWN,
            acting_authority="vantaa",
            state=state,
            reasons=(),
            version_sent=3,
            revision_sent=2,
            sent_at=AT,
            store_by=LATER,
            acknowledge_by=LATER,
            version_stored=stored,
            revision_stored=min(stored, 2),
            escalated=escalated,  # type: ignore[arg-type] # one of the three above
        )
    async with database.transaction(uuid4()) as tx:
        for entry in cases.values():
            Notices(tx).save_entry(entry)
    async with database.transaction(uuid4()) as tx:
        for notice_id in cases:
            Notices(tx).enter_stored(
                NoticeStored(notice_id=notice_id, authority="vantaa", version=2, revision=1, stored_at=LATER)
            )
    async with database.transaction(uuid4()) as tx:
        for notice_id, entry in cases.items():
            found = await Notices(tx).entry(notice_id, "vantaa")
            assert found == replace(entry.stored(2, 1, LATER)), entry
    await engine.dispose()
