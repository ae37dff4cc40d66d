"""The course of one notice at the joint office: filed, revised, re-routed, withdrawn, closed.

Every function takes what is known and returns what follows: the matter as it now is, and what each office is told.
Nothing is overwritten: a filing has revisions, each with its predecessor; the matter has versions, one for each change,
so that an older message arriving late at an office changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from services.change_security.domain.calendar import business_days_after
from services.change_security.domain.filing import missing
from services.change_security.domain.ledger import Entry, EntryState
from services.change_security.domain.reductions import affected
from services.change_security.domain.routing import AuthorityTable, Recipient, Routing, Unrouted, route
from services.change_security.domain.rules import RuleTable
from shared.calendar import local_day
from shared.events.envelope import Event
from shared.events.v1.change_security import (
    Filing,
    HandlingChanged,
    HandlingMode,
    NoticeAmended,
    NoticeAssigned,
    NoticeClosed,
    NoticeReleased,
    NoticeWithdrawn,
    Outcome,
    Reason,
    ReasonKind,
)

_EndEvent = Callable[[Entry, Callable[[Entry], dict[str, Any]]], Event]


class Status(StrEnum):
    """Where a matter stands."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Channel(StrEnum):
    """How a filing came in."""

    HTTP = "http"
    TOPIC = "topic"
    OFFICER = "officer"
    AUTHORITY = "authority"


class ConflictError(Exception):
    """The change does not fit the matter as it stands. `code` says how; nothing was changed."""

    def __init__(self, code: Literal["stale_predecessor", "not_open", "unknown_authority"], text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Receipt:
    """How and when a filing came.

    `arrived_at` is when it first became available to an authority: legal evidence, written once, never moved.
    """

    channel: Channel
    filed_by: str
    arrived_at: datetime
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The tables that decisions are made by."""

    authorities: AuthorityTable
    rules: RuleTable


@dataclass(frozen=True, slots=True)
class Matter:
    """A notice with its newest revision and its ledger."""

    notice_id: UUID
    status: Status
    version: int
    revision: int
    filing: Filing
    receipt: Receipt
    routing_version: str
    trace_id: str | None = None
    manual: tuple[str, ...] = ()
    outcome: Outcome | None = None
    entries: tuple[Entry, ...] = ()
    unrouted: tuple[Unrouted, ...] = ()
    revised_at: datetime | None = None

    def entry(self, authority: str) -> Entry | None:
        """Return an authority's entry in the ledger."""
        return next((entry for entry in self.entries if entry.authority == authority), None)

    @property
    def active(self) -> tuple[Entry, ...]:
        """The entries of authorities that the notice still concerns."""
        return tuple(entry for entry in self.entries if entry.state is not EntryState.RELEASED)


@dataclass(frozen=True, slots=True)
class Change:
    """What follows from an act: the matter as it now is, and what each office is told."""

    matter: Matter
    told: tuple[tuple[str, Event], ...] = ()
    mailed: tuple[str, ...] = field(default=())
    """Authorities outside the region that get an e-mail."""


def file(
    notice_id: UUID,
    filing: Filing,
    receipt: Receipt,
    book: Rulebook,
    *,
    trace_id: str | None = None,
    registered_by: str | None = None,
) -> Change:
    """Open a matter for a filing and send it to every authority it concerns.

    `registered_by`: the authority that registered the filing itself and has a case already. If the notice does not
    concern it, it is told so, and its receipt of that is awaited like any other.
    """
    routing = _route(filing, receipt, book)
    matter = Matter(
        notice_id=notice_id,
        status=Status.OPEN,
        version=1,
        revision=1,
        filing=filing,
        receipt=receipt,
        routing_version=routing.version,
        trace_id=trace_id,
        unrouted=routing.unrouted,
    )
    change = _sent(matter, routing, receipt.registered_at, book)
    registrar = book.authorities.authorities.get(registered_by or "")
    if registrar is None or registrar.office is None or registrar.code in routing.authorities():
        return change
    recipient = Recipient(registrar.code, registrar.office, HandlingMode.OWN, (Reason(kind=ReasonKind.MANUAL),))
    at = receipt.registered_at
    entry = replace(_entry(None, recipient, matter, at, at, at), state=EntryState.RELEASED)
    released = NoticeReleased(notice_id=notice_id, version=1, revision=1, authority=registrar.code)
    return replace(
        change,
        matter=replace(change.matter, entries=(*change.matter.entries, entry)),
        told=(*change.told, (registrar.office, released)),
    )


def revise(matter: Matter, filing: Filing, predecessor: int, at: datetime, book: Rulebook) -> Change:
    """Put a new revision of the filing in force. It may add an authority, or drop one.

    Raises:
        ConflictError: the predecessor is not the newest revision, or the matter is no longer open.
    """
    _must_be_open(matter)
    if predecessor != matter.revision:
        raise ConflictError("stale_predecessor", f"The newest revision is {matter.revision}.")
    revised = replace(matter, version=matter.version + 1, revision=matter.revision + 1, filing=filing, revised_at=at)
    routing = _route(filing, matter.receipt, book, manual=matter.manual)
    return _sent(replace(revised, routing_version=routing.version, unrouted=routing.unrouted), routing, at, book)


def add_authority(matter: Matter, authority: str, at: datetime, book: Rulebook) -> Change:
    """Send the notice to an authority that a coordinator names.

    Raises:
        ConflictError: the authority is not known, or the matter is no longer open.
    """
    _must_be_open(matter)
    if authority not in book.authorities.authorities:
        raise ConflictError("unknown_authority", "There is no such authority.")
    manual = tuple(dict.fromkeys((*matter.manual, authority)))
    routing = _route(matter.filing, matter.receipt, book, manual=manual)
    changed = replace(
        matter,
        version=matter.version + 1,
        manual=manual,
        routing_version=routing.version,
        unrouted=routing.unrouted,
    )
    return _sent(changed, routing, at, book)


def withdraw(matter: Matter, at: datetime) -> Change:
    """End a matter that the employer has withdrawn. Withdrawing twice changes nothing.

    Raises:
        ConflictError: the matter is closed.
    """
    if matter.status is Status.WITHDRAWN:
        return Change(matter)
    _must_be_open(matter)
    return _ended(matter, Status.WITHDRAWN, at, lambda entry, about: NoticeWithdrawn(**about(entry)))


def close(matter: Matter, outcome: Outcome, at: datetime) -> Change:
    """End a matter with or without terminations. Closing twice with the same outcome changes nothing.

    Raises:
        ConflictError: the matter is withdrawn, or closed with another outcome.
    """
    if matter.status is Status.CLOSED and matter.outcome is outcome:
        return Change(matter)
    _must_be_open(matter)
    closed = replace(matter, outcome=outcome)
    return _ended(closed, Status.CLOSED, at, lambda entry, about: NoticeClosed(**about(entry), outcome=outcome))


def take(matter: Matter, taker: str, parts: Iterable[str], at: datetime) -> Change:
    """Let an authority act in other authorities' parts, on their behalf: the competence does not move.

    A part that the matter does not have is passed over: it may have been released meanwhile.
    """
    wanted = frozenset(parts)
    changed = replace(matter, version=matter.version + 1)
    entries: list[Entry] = []
    told: list[tuple[str, Event]] = []
    for entry in matter.entries:
        taken = entry
        if entry.authority in wanted and entry.state is not EntryState.RELEASED:
            taken = entry.taken_by(taker, at)
            if entry.office is not None:
                taken = taken.resent(changed.version, entry.revision_sent)
                told.append(
                    (
                        entry.office,
                        HandlingChanged(
                            notice_id=matter.notice_id,
                            version=changed.version,
                            revision=matter.revision,
                            authority=entry.authority,
                            handling_mode=taken.mode,
                            acting_authority=taker,
                        ),
                    )
                )
        entries.append(taken)
    return Change(replace(changed, entries=tuple(entries)), tuple(told))


def _must_be_open(matter: Matter) -> None:
    if matter.status is not Status.OPEN:
        raise ConflictError("not_open", f"The matter is {matter.status}.")


def _route(filing: Filing, receipt: Receipt, book: Rulebook, manual: Sequence[str] = ()) -> Routing:
    day = local_day(receipt.arrived_at)
    limit = book.rules.value("joint_handling_below_affected", day)
    return route(
        filing,
        day,
        book.authorities,
        small=affected(filing).stays_below(limit),
        manual=manual,
    )


def _sent(matter: Matter, routing: Routing, at: datetime, book: Rulebook) -> Change:
    """Compare the routing with the ledger: assign to the new, amend for the old, release those no longer concerned."""
    day = local_day(at)
    acknowledge_by = business_days_after(at, book.rules.value("acknowledge_within", day))
    store_by = at + timedelta(minutes=book.rules.value("store_within", day))
    lacking = missing(matter.filing)
    before = {entry.authority: entry for entry in matter.entries}
    entries: list[Entry] = []
    told: list[tuple[str, Event]] = []
    mailed: list[str] = []
    for recipient in routing.recipients:
        old = before.pop(recipient.authority, None)
        is_new = old is None or old.state is EntryState.RELEASED
        entry = _entry(old if not is_new else None, recipient, matter, at, store_by, acknowledge_by)
        entries.append(entry)
        if recipient.office is None:
            mailed.append(recipient.authority)
            continue
        tell = NoticeAssigned if is_new else NoticeAmended
        told.append(
            (
                recipient.office,
                tell(
                    notice_id=matter.notice_id,
                    version=matter.version,
                    revision=matter.revision,
                    authority=recipient.authority,
                    reasons=recipient.reasons,
                    handling_mode=entry.mode,
                    routing_version=matter.routing_version,
                    arrived_at=matter.receipt.arrived_at,
                    registered_at=matter.receipt.registered_at,
                    acknowledge_by=entry.acknowledge_by,
                    missing=lacking,
                    filing=matter.filing,
                ),
            )
        )
    for old in before.values():
        if old.state is EntryState.RELEASED:
            entries.append(old)
            continue
        entries.append(old.released(matter.version, matter.revision, at))
        if old.office is not None:
            told.append(
                (
                    old.office,
                    NoticeReleased(
                        notice_id=matter.notice_id,
                        version=matter.version,
                        revision=matter.revision,
                        authority=old.authority,
                    ),
                )
            )
        else:
            mailed.append(old.authority)
    return Change(replace(matter, entries=tuple(entries)), tuple(told), tuple(mailed))


def _entry(
    old: Entry | None,
    recipient: Recipient,
    matter: Matter,
    at: datetime,
    store_by: datetime,
    acknowledge_by: datetime,
) -> Entry:
    if old is None:
        return Entry(
            authority=recipient.authority,
            office=recipient.office,
            mode=recipient.mode,
            acting_authority=recipient.authority,
            state=EntryState.SENT,
            reasons=recipient.reasons,
            version_sent=matter.version,
            revision_sent=matter.revision,
            sent_at=at,
            store_by=store_by,
            acknowledge_by=acknowledge_by,
        )
    # What the authority has already done with the matter stands; only the new content is awaited in its store.
    return replace(
        old,
        reasons=recipient.reasons,
        version_sent=matter.version,
        revision_sent=matter.revision,
        sent_at=at,
        store_by=store_by,
    )


def _ended(matter: Matter, status: Status, at: datetime, event: _EndEvent) -> Change:
    ended = replace(matter, status=status, version=matter.version + 1)

    def about(entry: Entry) -> dict[str, Any]:
        return {
            "notice_id": matter.notice_id,
            "version": ended.version,
            "revision": matter.revision,
            "authority": entry.authority,
        }

    entries = tuple(
        entry
        if entry.state is EntryState.RELEASED
        else replace(entry.resent(ended.version, matter.revision), sent_at=at)
        for entry in matter.entries
    )
    told = tuple((entry.office, event(entry, about)) for entry in matter.active if entry.office is not None)
    mailed = tuple(entry.authority for entry in matter.active if entry.office is None)
    return Change(replace(ended, entries=entries, unrouted=()), told, mailed)
