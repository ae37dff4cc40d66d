"""Acting for another: asked, consented to or delegated, ended by either side, alike whatever order it is heard in."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.change_security import data
from services.change_security.domain import acting as acting_for
from services.change_security.domain import notice as lifecycle
from services.change_security.domain.agreed import NOTHING_AGREED, Agreed, read_delegations
from services.change_security.domain.handling import decide
from services.change_security.domain.ledger import EntryState
from services.change_security.domain.notice import Channel, NoticeState, Receipt, Rulebook
from services.change_security.joint.acting_commands import JointActing
from services.change_security.joint.acting_store import Actings
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.resolution_commands import Coordination
from services.change_security.joint.store import Notices
from services.change_security.joint.tables import ActingRow
from shared.errors import ConflictError, ForbiddenError, RefusedError, UnknownError
from shared.events.v1.change_security import Acting, ActingReported, ActingState, LegalGround
from shared.messaging.transaction import Transaction
from tests.support.clock import SettableClock
from tests.support.filings import ARRIVED, proposal
from tests.support.rows import Rows, transaction_on

NETWORK = frozenset({"espoo", "helsinki", "vantaa"})
LATER = ARRIVED + timedelta(hours=2)
HEADER = "competent_authority,acting_authority,valid_from,valid_to,certainty,source"


def asked(by: str = "helsinki", competent: str = "vantaa", acting: str = "helsinki") -> Acting:
    return acting_for.ask(UUID(int=1), by, competent, acting, "a deputy", ARRIVED, NETWORK, data.rules())


def answered(acting: Acting, by: str = "vantaa", *, accepted: bool = True) -> Acting:
    return acting_for.answer(acting, by, "officer-1", LATER, reason=None, accepted=accepted)


def test_the_competent_authority_consents_and_either_side_ends_it_with_a_reason() -> None:
    in_force = answered(asked())
    assert (in_force.state, in_force.legal_ground) == (ActingState.IN_FORCE, LegalGround.CONSENT)
    assert answered(in_force) == in_force
    for side in ("vantaa", "helsinki"):
        ended = acting_for.end(in_force, side, "done", LATER)
        assert (ended.state, ended.ended_by, ended.end_reason) == (ActingState.ENDED, side, "done")
        assert acting_for.end(ended, "vantaa", "again", LATER) == ended
        with pytest.raises(ConflictError):
            answered(ended)


def test_who_asked_cannot_answer_and_a_third_can_do_neither() -> None:
    acts: tuple[Callable[[], Acting], ...] = (
        lambda: answered(asked(), "helsinki"),
        lambda: answered(asked(), "espoo"),
        lambda: acting_for.end(asked(), "espoo", "no", LATER),
    )
    for act in acts:
        with pytest.raises(ForbiddenError):
            act()


def test_an_offer_is_accepted_by_whom_it_is_made_to() -> None:
    offer = asked(by="vantaa")
    with pytest.raises(ForbiddenError):
        answered(offer, "vantaa")
    assert answered(offer, "helsinki").state is ActingState.IN_FORCE


def test_a_refusal_says_why_and_stands() -> None:
    refused = acting_for.answer(asked(), "vantaa", "officer-1", LATER, reason="we have time", accepted=False)
    assert (refused.state, refused.end_reason) == (ActingState.REFUSED, "we have time")
    with pytest.raises(ConflictError):
        acting_for.end(refused, "helsinki", "then not", LATER)
    with pytest.raises(ConflictError):
        answered(refused)


@pytest.mark.parametrize(
    ("by", "competent", "acting"),
    [("helsinki", "helsinki", "helsinki"), ("helsinki", "vantaa", "espoo"), ("helsinki", "turku", "helsinki")],
)
def test_it_is_between_the_own_authority_and_one_other_of_the_region(by: str, competent: str, acting: str) -> None:
    with pytest.raises(RefusedError) as refused:
        asked(by, competent, acting)
    assert refused.value.code == "own-and-one-other"


def test_both_sides_end_alike_whatever_order_they_hear_it_in() -> None:
    request = asked()
    heard = [request, answered(request), acting_for.end(answered(request), "vantaa", "done", LATER), request]
    ends = set()
    for order in permutations(heard):
        known: Acting | None = None
        for word in order:
            known = acting_for.merge(known, word)
        ends.add(known)
    assert ends == {heard[2]}


def test_a_standing_delegation_of_the_day_stands_for_the_consent() -> None:
    delegations = read_delegations([HEADER, "vantaa,helsinki,2025-01-01,2030-12-31,read,a decision of the board"])
    agreed = Agreed(delegations=delegations)
    in_force = acting_for.report(None, asked(), "helsinki", agreed, ARRIVED)
    assert (in_force.state, in_force.legal_ground) == (ActingState.IN_FORCE, LegalGround.DELEGATION)
    assert in_force.ground_source == "a decision of the board"
    after = ARRIVED.replace(year=2031)
    assert acting_for.report(None, asked(), "helsinki", agreed, after).state is ActingState.ASKED
    other_way = asked(by="vantaa", competent="helsinki", acting="vantaa")
    assert acting_for.report(None, other_way, "vantaa", agreed, ARRIVED).state is ActingState.ASKED


def test_the_joint_office_takes_no_authoritys_word_for_anothers() -> None:
    request, consent = asked(), answered(asked())
    words: tuple[tuple[Acting | None, Acting, str], ...] = (
        (None, request, "vantaa"),
        (None, request, "espoo"),
        (request, consent, "helsinki"),
        (None, consent, "helsinki"),
        (request, request.model_copy(update={"acting_authority": "espoo", "asked_by": "espoo"}), "espoo"),
    )
    for known, heard, speaker in words:
        with pytest.raises(ForbiddenError):
            acting_for.report(known, heard, speaker, NOTHING_AGREED, ARRIVED)
    assert acting_for.report(request, consent, "vantaa", NOTHING_AGREED, ARRIVED) == consent


# -- at the joint office

NOTICE = UUID(int=7)
BOOK = Rulebook(data.authorities(), data.rules(), data.agreed())
OFFICE = JointOffice(BOOK, shipped=BOOK.authorities)
COORDINATION = Coordination(OFFICE)
JOINT_ACTING = JointActing(BOOK, NETWORK)
BY, WHY = "officer:coordinator", "as it is"


class Part:
    """Vantaa's part in a notice, in which Helsinki may act, at the joint office."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        notice = lifecycle.file(
            NOTICE, proposal(), Receipt(Channel.TOPIC, "system:test", ARRIVED, ARRIVED), BOOK
        ).notice
        notice = replace(notice, handling=decide(notice, BOOK))
        self.rows = Rows()
        self.tx = transaction_on(self.rows, "pks", SettableClock(LATER))
        self.tx.identity_map["notices"] = {NOTICE: replace(notice, entries=())}
        self.tx.identity_map["entries"] = {NOTICE: {part.authority: part for part in notice.entries}}
        self.asked: list[Acting] = []

        async def of(_: Actings, notice_id: UUID, competent: str) -> Sequence[ActingRow]:
            assert notice_id == NOTICE
            return [row for row in self.rows.of(ActingRow) if row.competent_authority == competent]

        async def flush(_: Transaction) -> None:
            """Nothing is written in this test."""

        patch.setattr(Actings, "of", of)
        patch.setattr(Transaction, "flush", flush)

    async def ask(self) -> None:
        request = asked().model_copy(update={"acting_id": UUID(int=len(self.asked) + 1)})
        self.asked.append(request)
        await JOINT_ACTING.enter(self.tx, ActingReported(notice_id=NOTICE, authority="helsinki", acting=request))

    async def consent(self) -> None:
        """The competent authority says yes to each request, though the part may have ended meanwhile."""
        for request in self.asked:
            event = ActingReported(notice_id=NOTICE, authority="vantaa", acting=answered(request))
            await JOINT_ACTING.enter(self.tx, event)

    async def take(self) -> None:
        await OFFICE.take(self.tx, NOTICE, "vantaa", LATER, None, None)

    async def release(self) -> None:
        await COORDINATION.release(self.tx, NOTICE, "vantaa", BY, WHY)

    async def withdraw(self) -> None:
        await OFFICE.withdraw(self.tx, NOTICE, BY)

    async def reopen(self) -> None:
        await COORDINATION.reopen(self.tx, NOTICE, BY, WHY)

    async def states(self) -> list[ActingState]:
        return [row.state for row in self.rows.of(ActingRow)]

    async def check(self) -> None:
        """Who is admitted acts in force, and in a part that somebody has."""
        notice = await Notices(self.tx).get(NOTICE)
        assert notice is not None
        part = notice.entry("vantaa")
        assert part is not None
        open_rows = [row for row in self.rows.of(ActingRow) if row.state in acting_for.OPEN]
        in_force = [row for row in open_rows if row.state is ActingState.IN_FORCE]
        assert (part.acting_authority == "helsinki") == bool(in_force)
        if part.state is EntryState.RELEASED or notice.state is NoticeState.WITHDRAWN:
            assert open_rows == []


@pytest.mark.parametrize("end", [Part.take, Part.release, Part.withdraw])
async def test_what_is_asked_or_in_force_ends_with_the_part_and_a_late_yes_revives_nothing(
    end: Callable[[Part], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part(monkeypatch)
    await part.ask()
    await end(part)
    assert await part.states() == [ActingState.ENDED]
    await part.consent()
    assert await part.states() == [ActingState.ENDED]
    await part.check()


async def test_acting_in_force_ends_when_the_part_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part(monkeypatch)
    await part.ask()
    await part.consent()
    assert await part.states() == [ActingState.IN_FORCE]
    await part.take()
    assert await part.states() == [ActingState.ENDED]
    told = [event.topic for event in part.tx._outgoing if event.type == "change-security.acting-changed.v1"]
    assert [topic.split(".")[1] for topic in told[-2:]] == ["vantaa", "helsinki"]


@pytest.mark.parametrize("end", [Part.release, Part.withdraw])
async def test_a_late_yes_to_a_request_that_nobody_has_ended_is_answered_by_an_end(
    end: Callable[[Part], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part(monkeypatch)
    await end(part)
    part.asked.append(asked())
    await Actings(part.tx).put(NOTICE, asked())  # as it stood before requests ended with their part
    await part.consent()
    assert await part.states() == [ActingState.ENDED]
    await part.check()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from((Part.ask, Part.take, Part.consent, Part.release, Part.withdraw, Part.reopen)), max_size=8)
)
async def test_nobody_is_admitted_without_acting_in_force(acts: list[Callable[[Part], Awaitable[None]]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        part = Part(patch)
        for act in (Part.ask, *acts):
            try:
                await act(part)
            except (ConflictError, UnknownError):
                continue
            await part.check()
