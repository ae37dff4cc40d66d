"""What a coordinator's acts bring about, without HTTP and without a database: who hears, and what the filers read."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.change_security import data
from services.change_security.domain import merging
from services.change_security.domain import notice as lifecycle
from services.change_security.domain.evidence import arrived_by_topic
from services.change_security.domain.handling import decide
from services.change_security.domain.notice import Channel, Notice, Receipt, Rulebook
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.resolution_commands import Coordination
from services.change_security.joint.store import Notices
from services.change_security.joint.tables import ActKind, NoticeActRow
from shared.errors import ConflictError
from shared.events.v1.change_security import DeclineReason
from shared.messaging.transaction import Transaction
from shared.topics import CHANGE_NOTICES_RECEIPTS
from tests.support.clock import SettableClock
from tests.support.filings import ARRIVED, proposal, termination_notice
from tests.support.rows import Rows, transaction_on

FIRST, SECOND = UUID(int=1), UUID(int=2)
PORTAL, OTHER = "topic:/systems/portal", "topic:/systems/other"
LATER = ARRIVED + timedelta(days=1)
BOOK = Rulebook(data.authorities(), data.rules(), data.agreed())
OFFICE = JointOffice(BOOK, shipped=BOOK.authorities)
COORDINATION = Coordination(OFFICE)
BY, WHY = "officer:coordinator", "it is the same"


def filed(notice_id: UUID, by: str) -> Notice:
    receipt = Receipt(Channel.TOPIC, by, ARRIVED, ARRIVED)
    notice = lifecycle.file(notice_id, proposal(), receipt, BOOK).notice
    return replace(notice, handling=decide(notice, BOOK))


def read(*notices: Notice) -> tuple[Rows, Transaction]:
    """A transaction that has read these notices."""
    rows = Rows()
    tx = transaction_on(rows, "pks", SettableClock(LATER))
    tx.identity_map["notices"] = {one.notice_id: replace(one, entries=()) for one in notices}
    tx.identity_map["entries"] = {one.notice_id: {part.authority: part for part in one.entries} for one in notices}
    return rows, tx


def merged() -> tuple[Notice, Notice]:
    both = merging.merge(filed(FIRST, PORTAL), filed(SECOND, OTHER), LATER, BOOK)
    return both.kept.notice, both.absorbed.notice


def receipts(tx: Transaction) -> list[tuple[str, str, int]]:
    """What the filers are answered: of which notice, what, at which version."""
    bodies: list[dict[str, Any]] = [
        json.loads(event.payload) for event in tx._outgoing if event.topic == CHANGE_NOTICES_RECEIPTS.name
    ]
    for body in bodies:
        assert body["filed_by"] == (PORTAL if body["notice_id"] == str(FIRST) else OTHER)
    names = {str(FIRST): "first", str(SECOND): "second"}
    return [
        (names[body["notice_id"]], body["type"].removeprefix("change-security.filing-"), body["version"])
        for body in bodies
    ]


def heard(tx: Transaction, city: str) -> list[str]:
    return [
        event.type.removeprefix("change-security.") for event in tx._outgoing if event.topic.startswith(f"to.{city}")
    ]


async def test_both_filers_read_that_two_notices_are_one() -> None:
    rows, tx = read(filed(FIRST, PORTAL), filed(SECOND, OTHER))
    await COORDINATION.merge(tx, FIRST, SECOND, BY, WHY)
    assert receipts(tx) == [("first", "reassigned.v1", 2), ("second", "merged.v1", 2)]
    assert heard(tx, "vantaa") == ["notice-amended.v1", "notice-merged.v1"]
    (act,) = rows.of(NoticeActRow)
    assert (act.act, act.by, act.reason, act.other_id) == (ActKind.MERGED, BY, WHY, SECOND)


async def test_what_becomes_of_the_notice_that_continues_is_answered_to_both_filers_once() -> None:
    _, tx = read(*merged())
    await OFFICE.withdraw(tx, SECOND, OTHER)
    assert receipts(tx) == [("first", "withdrawn.v1", 3), ("second", "withdrawn.v1", 3)]
    await OFFICE.withdraw(tx, FIRST, PORTAL)  # repeated: nothing has changed
    assert len(receipts(tx)) == 2
    await COORDINATION.reopen(tx, FIRST, BY, WHY)
    assert receipts(tx)[2:] == [("first", "reassigned.v1", 4), ("second", "reassigned.v1", 4)]
    assert heard(tx, "vantaa")[-1] == "notice-asked-again.v1"


async def test_a_revision_of_a_merged_notice_is_answered_to_both_filers_each_with_its_own_number() -> None:
    kept, absorbed = merged()
    _, tx = read(kept, absorbed)
    arrival = arrived_by_topic("pks", LATER, None, None)
    await OFFICE.revise_submitted(tx, absorbed, proposal(sites=[{"municipality": "092"}]), 1, OTHER, arrival)
    assert [(whose, what) for whose, what, _ in receipts(tx)] == [("first", "revised.v1"), ("second", "revised.v1")]
    first, second = await Notices(tx).get(FIRST), await Notices(tx).get(SECOND)
    assert first is not None
    assert second is not None
    assert (first.revision, second.revision, second.merged_into) == (2, 2, FIRST)


async def test_after_an_unmerge_each_filer_is_answered_for_its_own_notice() -> None:
    _, tx = read(*merged())
    await COORDINATION.unmerge(tx, FIRST, SECOND, BY, WHY)
    assert receipts(tx) == [("second", "reassigned.v1", 3), ("first", "reassigned.v1", 3)]
    await OFFICE.withdraw(tx, FIRST, PORTAL)
    assert receipts(tx)[2:] == [("first", "withdrawn.v1", 4)]


async def test_a_notice_into_which_others_are_merged_is_not_absorbed_itself() -> None:
    kept, absorbed = merged()
    third = filed(UUID(int=3), PORTAL)
    _, tx = read(kept, absorbed, third)
    with pytest.raises(ConflictError) as refused:
        await COORDINATION.merge(tx, third.notice_id, FIRST, BY, WHY)
    assert refused.value.code == "has-merged"


async def test_an_authority_on_which_a_coordinator_insists_is_asked_again_with_the_reason() -> None:
    notice = filed(FIRST, PORTAL)
    entries = tuple(
        part.not_ours(DeclineReason.NO_SITE_HERE, LATER) if part.authority == "vantaa" else part
        for part in notice.entries
    )
    rows, tx = read(replace(notice, entries=entries))
    await COORDINATION.insist(tx, FIRST, "vantaa", BY, "the site is yours")
    (asked,) = [json.loads(event.payload) for event in tx._outgoing if event.topic.startswith("to.vantaa")]
    assert (asked["asked_because"], asked["reason"], asked["asked_version"]) == ("insisted", "the site is yours", 2)
    assert receipts(tx) == [("first", "reassigned.v1", 2)]
    assert [act.act for act in rows.of(NoticeActRow)] == [ActKind.INSISTED]


async def test_a_released_authority_hears_so_and_the_filer_reads_who_is_left() -> None:
    _, tx = read(filed(FIRST, PORTAL))
    await COORDINATION.release(tx, FIRST, "espoo", BY, WHY)
    assert heard(tx, "espoo") == ["notice-released.v1"]
    (receipt,) = [json.loads(event.payload) for event in tx._outgoing if event.topic == CHANGE_NOTICES_RECEIPTS.name]
    assert {one["authority"] for one in receipt["authorities"]} == {"helsinki", "vantaa"}


async def test_a_merged_notice_is_linked_as_the_one_that_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    third = UUID(int=3)
    notice = replace(filed(third, PORTAL), filing=termination_notice())
    rows, tx = read(*merged(), notice)
    written: list[tuple[UUID, UUID | None]] = []

    async def save_link(_: Notices, linked: Notice) -> None:
        written.append((linked.notice_id, linked.relates_to))
        tx.identity_map["notices"][linked.notice_id] = replace(linked, entries=())

    monkeypatch.setattr(Notices, "save_link", save_link)
    linked = await COORDINATION.link(tx, third, SECOND, BY, WHY)
    assert linked.relates_to == FIRST
    assert [(act.notice_id, act.other_id) for act in rows.of(NoticeActRow)] == [(third, FIRST), (FIRST, third)]
    await COORDINATION.unlink(tx, third, BY, WHY)
    assert written == [(third, FIRST), (third, None)]
    with pytest.raises(ConflictError):
        await COORDINATION.unlink(tx, third, BY, WHY)


async def test_the_link_of_a_merged_notice_is_undone_at_the_one_that_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, absorbed = merged()
    _, tx = read(kept, replace(absorbed, relates_to=UUID(int=3)))
    written: list[tuple[UUID, UUID | None]] = []

    async def save_link(_: Notices, linked: Notice) -> None:
        written.append((linked.notice_id, linked.relates_to))

    monkeypatch.setattr(Notices, "save_link", save_link)
    await COORDINATION.unlink(tx, FIRST, BY, WHY)
    assert written == [(SECOND, None)]
