"""The lifecycle of one notice at the joint office: filed, revised, re-routed, taken, withdrawn, closed.

Every function takes a notice and an act, and returns what follows: the notice as it now is, and the events to publish.
Nothing is overwritten: a filing has revisions, each with its predecessor; the notice has versions, one for each change,
so that an older message arriving late at an office changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from services.change_security.domain.agreed import NOTHING_AGREED, Agreed
from services.change_security.domain.calendar import business_days_after
from services.change_security.domain.filing import missing
from services.change_security.domain.ledger import Entry, EntryState
from services.change_security.domain.routing import AuthorityTable, Recipient, Routing, Unrouted, part_of, route
from services.change_security.domain.rules import RuleTable
from shared.calendar import local_day
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.envelope import Event
from shared.events.v1.change_security import (
    AskedBecause,
    Filing,
    Handling,
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


class NoticeState(StrEnum):
    """Where a notice stands."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    MERGED = "merged"


class Channel(StrEnum):
    """How a filing came in."""

    HTTP = "http"
    TOPIC = "topic"
    OFFICER = "officer"
    AUTHORITY = "authority"


BY_SYSTEMS: Final = frozenset({Channel.HTTP, Channel.TOPIC})
"""The ways by which a system files that reads its receipts, and with them what it is asked for."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How and when a filing came.

    `arrived_at` is when it first became available to an authority: legal evidence, written once, never moved. The filer
    may claim an earlier arrival, which moves no clock, and may have a reference of its own for the matter.
    """

    channel: Channel
    filed_by: str
    arrived_at: datetime
    registered_at: datetime
    arrived_at_claimed: datetime | None = None
    filer_reference: str | None = None


def arrival(given: datetime | None, now: datetime, *, by_officer: bool) -> datetime:
    """Return when a filing first reached an authority: now, or earlier if an officer registers it afterwards.

    Raises:
        RefusedError: it lies in the future, or another than an officer gives it.
    """
    if given is None:
        return now
    if not by_officer:
        raise RefusedError("/arrived_at", "wrong-arrival", "Invalid arrival time: only an officer may give one.")
    if given > now:
        raise RefusedError("/arrived_at", "wrong-arrival", "Invalid arrival time: it is in the future.")
    return given


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The tables that decisions are made by."""

    authorities: AuthorityTable
    rules: RuleTable
    agreed: Agreed = NOTHING_AGREED


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice with its newest revision and its ledger.

    Attributes:
        manual, excluded: the authorities that a coordinator has added, and those that one has released.
        unrouted, settled: the places that lead to no authority and wait, and those that a coordinator has dealt with.
        merged_into: the notice that this one is one with, and that continues.
        absorbed: the notices that are merged into this one.
        merge_added: the authorities that the merge added there.
        relates_to: the proposal that a notice of terminations follows, as its filer or a coordinator says.
    """

    notice_id: UUID
    state: NoticeState
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
    revision_arrived_at: datetime | None = None
    completion_asked_at: datetime | None = None
    handling: Handling | None = None
    excluded: tuple[str, ...] = ()
    settled: tuple[Unrouted, ...] = ()
    merged_into: UUID | None = None
    absorbed: tuple[UUID, ...] = ()
    merge_added: tuple[str, ...] = ()
    relates_to: UUID | None = None

    @property
    def lead(self) -> str | None:
        """The authority that leads a joint matter."""
        return self.handling.lead.authority if self.handling and self.handling.lead else None

    @property
    def specialist(self) -> str | None:
        """The officer who is the specialist of a joint matter."""
        return self.handling.specialist.officer if self.handling and self.handling.specialist else None

    def entry(self, authority: str) -> Entry | None:
        """Return an authority's entry in the ledger."""
        return next((entry for entry in self.entries if entry.authority == authority), None)

    @property
    def active(self) -> tuple[Entry, ...]:
        """The entries of authorities that the notice still concerns."""
        return tuple(entry for entry in self.entries if entry.state is not EntryState.RELEASED)

    @property
    def is_ready_to_close(self) -> bool:
        """Whether the notice is open and every part of it is done: nobody but a coordinator has anything left to do."""
        return (
            self.state is NoticeState.OPEN
            and not self.unrouted
            and any(entry.case_outcome is not None for entry in self.active)
            and all(entry.is_done for entry in self.active)
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What follows from an act.

    Attributes:
        notice: the notice as it now is.
        events: what each office hears, in order.
        emails: the authorities outside the region that get an e-mail.
    """

    notice: Notice
    events: tuple[tuple[str, Event], ...] = ()
    emails: tuple[str, ...] = ()


def file(
    notice_id: UUID,
    filing: Filing,
    receipt: Receipt,
    book: Rulebook,
    *,
    trace_id: str | None = None,
    registered_by: str | None = None,
) -> Change:
    """Open the notice of a filing and send it to every authority it concerns.

    `registered_by`: the authority that registered the filing itself and has a case already. If the notice does not
    concern it, it hears so, and its receipt of that is awaited like any other.
    """
    routing = _route(filing, receipt, book)
    notice = Notice(
        notice_id=notice_id,
        state=NoticeState.OPEN,
        version=1,
        revision=1,
        filing=filing,
        receipt=receipt,
        routing_version=routing.version,
        trace_id=trace_id,
        unrouted=routing.unrouted,
        completion_asked_at=completion_asked(filing, receipt, receipt.registered_at),
        revision_arrived_at=receipt.arrived_at,
        relates_to=filing.relates_to,
    )
    change = _sent(notice, routing, receipt.registered_at, book)
    registrar = book.authorities.authorities.get(registered_by or "")
    if registrar is None or registrar.office is None or registrar.code in routing.authorities():
        return change
    recipient = Recipient(registrar.code, registrar.office, (Reason(kind=ReasonKind.MANUAL),))
    at = receipt.registered_at
    entry = replace(_entry(None, recipient, notice, at, at, at), state=EntryState.RELEASED)
    released = NoticeReleased(notice_id=notice_id, version=1, revision=1, authority=registrar.code)
    return replace(
        change,
        notice=replace(change.notice, entries=(*change.notice.entries, entry)),
        events=(*change.events, (registrar.office, released)),
    )


def revise(
    notice: Notice,
    filing: Filing,
    predecessor: int,
    at: datetime,
    book: Rulebook,
    *,
    arrived_at: datetime | None = None,
    registered_by: str | None = None,
) -> Change:
    """Put a new revision of the filing in force. It may add an authority, or drop one.

    It asks an authority again whose part it changes, save the one that registered it: its officers have taken notice.
    `arrived_at`: when the revision reached an authority, if that was before now. No clock of the notice starts again.

    Raises:
        ConflictError: the predecessor is not the newest revision, or the notice is no longer open.
    """
    must_be_open(notice)
    if predecessor != notice.revision:
        raise ConflictError("stale-predecessor", f"The newest revision is {notice.revision}.")
    day = local_day(notice.receipt.arrived_at)
    registrar = notice.entry(registered_by or "")
    has_noticed = registrar is not None and registrar.state in {EntryState.ACKNOWLEDGED, EntryState.TAKEN_BY}
    asked = frozenset(
        entry.authority
        for entry in notice.entries
        if part_of(filing, entry.authority, day, book.authorities)
        != part_of(notice.filing, entry.authority, day, book.authorities)
        and not (entry is registrar and has_noticed)
    )
    revision = notice.revision + 1
    revised = replace(
        notice,
        version=notice.version + 1,
        revision=revision,
        filing=filing,
        revised_at=at,
        revision_arrived_at=arrived_at or at,
        completion_asked_at=completion_asked(filing, notice.receipt, at, before=notice.completion_asked_at),
        excluded=tuple(authority for authority in notice.excluded if authority not in asked),
        relates_to=filing.relates_to or notice.relates_to,
        entries=tuple(
            replace(entry, acknowledged_revision=revision) if entry is registrar and has_noticed else entry
            for entry in notice.entries
        ),
    )
    return rerouted(revised, at, book, asked=asked)


def add_authority(
    notice: Notice, authority: str, at: datetime, book: Rulebook, *, municipality: str | None = None
) -> Change:
    """Send the notice to an authority that a coordinator names. The places of `municipality` wait no longer.

    Raises:
        UnknownError: there is no such authority.
        ConflictError: the notice is no longer open.
    """
    must_be_open(notice)
    if authority not in book.authorities.authorities:
        raise UnknownError("authority")
    settled = tuple(place for place in notice.unrouted if municipality == (place.municipality or ""))
    changed = replace(
        notice,
        version=notice.version + 1,
        settled=(*notice.settled, *settled),
        manual=tuple(dict.fromkeys((*notice.manual, authority))),
        excluded=tuple(code for code in notice.excluded if code != authority),
    )
    return rerouted(changed, at, book)


def withdraw(notice: Notice, at: datetime) -> Change:
    """End a notice that the employer has withdrawn. Withdrawing twice changes nothing.

    Raises:
        ConflictError: the notice is closed.
    """
    if notice.state is NoticeState.WITHDRAWN:
        return Change(notice)
    must_be_open(notice)
    return ended(notice, NoticeState.WITHDRAWN, at, lambda entry, about: NoticeWithdrawn(**about(entry)))


def close(notice: Notice, outcome: Outcome, at: datetime) -> Change:
    """End a notice with or without terminations. Closing twice with the same outcome changes nothing.

    Raises:
        ConflictError: the notice is withdrawn, or closed with another outcome.
    """
    if notice.state is NoticeState.CLOSED and notice.outcome is outcome:
        return Change(notice)
    must_be_open(notice)
    closed = replace(notice, outcome=outcome)
    return ended(closed, NoticeState.CLOSED, at, lambda entry, about: NoticeClosed(**about(entry), outcome=outcome))


def take(
    notice: Notice, authority: str, at: datetime, *, version: int | None = None, revision: int | None = None
) -> Change:
    """Let an authority take its own part out of joint handling. Repeating it changes nothing.

    `version`, `revision`: what its officer had before them. A part that the notice does not have, or has released
    meanwhile, is passed over.
    """
    entry = notice.entry(authority)
    taken = entry.taken(at, version=version, revision=revision) if entry is not None else None
    return _part_changed(notice, authority, taken)


def give_back(notice: Notice, authority: str) -> Change:
    """Let an authority return its own part to joint handling. Repeating it changes nothing."""
    entry = notice.entry(authority)
    return _part_changed(notice, authority, entry.returned() if entry is not None else None)


def _part_changed(notice: Notice, authority: str, changed: Entry | None) -> Change:
    before = notice.entry(authority)
    office = before.office if before is not None else None
    if changed is None or before is None or office is None or changed == before:
        return Change(notice)
    version = notice.version + 1
    changed = changed.resent(version, changed.revision_sent)
    event = HandlingChanged(
        notice_id=notice.notice_id,
        version=version,
        revision=notice.revision,
        authority=authority,
        handling_mode=changed.mode,
        acting_authority=changed.acting_authority,
    )
    entries = tuple(changed if part is before else part for part in notice.entries)
    return Change(replace(notice, version=version, entries=entries), ((office, event),))


def acknowledge_outside(notice: Notice, authority: str, at: datetime, version: int | None = None) -> Change:
    """Enter that an authority outside the region has confirmed the notice: it has it, and has acknowledged it.

    Args:
        notice: the notice.
        authority: which authority.
        at: when it confirmed.
        version: what it confirmed; the newest that it was sent, if it does not say.

    Raises:
        UnknownError: the notice concerns no such authority.
    """
    entry = notice.entry(authority)
    if entry is None or entry.office is not None:
        raise UnknownError("external authority in the notice")
    confirmed_version = entry.version_sent if version is None else min(version, entry.version_sent)
    revision = entry.revision_sent if confirmed_version == entry.version_sent else entry.revision_stored
    stored = entry.stored(confirmed_version, revision, at)
    confirmed = stored.acknowledged(authority, at, version=confirmed_version, revision=revision)
    entries = tuple(confirmed if part is entry else part for part in notice.entries)
    return Change(replace(notice, entries=entries))


def completion_asked(
    filing: Filing, receipt: Receipt, at: datetime, *, before: datetime | None = None
) -> datetime | None:
    """Return when completion was really asked: by a system's receipt now, or before by a letter; None if by nothing."""
    if not missing(filing):
        return None
    return at if receipt.channel in BY_SYSTEMS else before


def must_be_open(notice: Notice) -> None:
    """Refuse an act on a notice that has ended.

    Raises:
        ConflictError
    """
    if notice.state is not NoticeState.OPEN:
        raise ConflictError("not-open", f"The notice is {notice.state}.")


def _route(filing: Filing, receipt: Receipt, book: Rulebook, manual: Sequence[str] = ()) -> Routing:
    return route(filing, local_day(receipt.arrived_at), book.authorities, manual=manual)


def rerouted(notice: Notice, at: datetime, book: Rulebook, *, asked: frozenset[str] = frozenset()) -> Change:
    """Route a changed notice again: assign to the new, amend for the old, release those no longer concerned.

    `asked`: the authorities that must acknowledge again. Places that a coordinator has dealt with stay out of the
    queue, and authorities that one has released stay so, unless nobody would have the notice otherwise.
    """
    routing = _route(notice.filing, notice.receipt, book, manual=notice.manual)
    is_nobodys = routing.authorities() <= set(notice.excluded)
    settled = () if is_nobodys else notice.settled
    unrouted = tuple(place for place in routing.unrouted if place not in settled)
    excluded = () if is_nobodys and not unrouted else notice.excluded
    changed = replace(notice, routing_version=routing.version, unrouted=unrouted, settled=settled, excluded=excluded)
    return _sent(changed, routing, at, book, asked)


def deadlines(at: datetime, book: Rulebook) -> tuple[datetime, datetime]:
    """Return by when a store must confirm what is sent now, and by when an officer must acknowledge it."""
    day = local_day(at)
    return (
        at + timedelta(minutes=book.rules.value("store_within", day)),
        business_days_after(at, book.rules.value("acknowledge_within", day)),
    )


def content(notice: Notice, entry: Entry) -> dict[str, Any]:
    """Return what an authority is sent of a notice."""
    return {
        "notice_id": notice.notice_id,
        "version": notice.version,
        "revision": notice.revision,
        "authority": entry.authority,
        "reasons": entry.reasons,
        "handling_mode": entry.mode,
        "routing_version": notice.routing_version,
        "arrived_at": notice.receipt.arrived_at,
        "registered_at": notice.receipt.registered_at,
        "acknowledge_by": entry.acknowledge_by,
        "missing": missing(notice.filing),
        "filing": notice.filing,
        "filer_reference": notice.receipt.filer_reference,
        "arrived_at_claimed": notice.receipt.arrived_at_claimed,
        "revision_arrived_at": notice.revision_arrived_at,
        "asked_version": entry.version_asked,
        "asked_because": entry.asked_because,
    }


def _sent(
    notice: Notice, routing: Routing, at: datetime, book: Rulebook, asked: frozenset[str] = frozenset()
) -> Change:
    """Compare the routing with the ledger, and send each authority what is new to it."""
    store_by, acknowledge_by = deadlines(at, book)
    before = {entry.authority: entry for entry in notice.entries}
    entries: list[Entry] = []
    events: list[tuple[str, Event]] = []
    emails: list[str] = []
    for recipient in routing.recipients:
        if recipient.authority in notice.excluded:
            continue
        old = before.pop(recipient.authority, None)
        is_new = old is None or old.state is EntryState.RELEASED
        entry = _entry(old if not is_new else None, recipient, notice, at, store_by, acknowledge_by)
        if not is_new and recipient.authority in asked:
            entry = entry.asked(notice.version, notice.revision, at, acknowledge_by, AskedBecause.REVISED)
        entries.append(entry)
        if recipient.office is None:
            emails.append(recipient.authority)
            continue
        kind = NoticeAssigned if is_new else NoticeAmended
        events.append((recipient.office, kind(**content(notice, entry))))
    for old in before.values():
        if old.state is EntryState.RELEASED:
            entries.append(old)
            continue
        entries.append(old.released(notice.version, notice.revision, at))
        if old.office is not None:
            events.append((old.office, released_event(notice, old)))
        else:
            emails.append(old.authority)
    return Change(replace(notice, entries=tuple(entries)), tuple(events), tuple(emails))


def released_event(notice: Notice, entry: Entry) -> NoticeReleased:
    """Return what an office hears whose authority the notice no longer concerns."""
    return NoticeReleased(
        notice_id=notice.notice_id, version=notice.version, revision=notice.revision, authority=entry.authority
    )


def _entry(
    old: Entry | None,
    recipient: Recipient,
    notice: Notice,
    at: datetime,
    store_by: datetime,
    acknowledge_by: datetime,
) -> Entry:
    if old is None:
        return Entry(
            notice_id=notice.notice_id,
            authority=recipient.authority,
            office=recipient.office,
            mode=HandlingMode.EXTERNAL if recipient.office is None else HandlingMode.OWN,  # until `handling` decides
            acting_authority=recipient.authority,
            state=EntryState.SENT,
            reasons=recipient.reasons,
            version_sent=notice.version,
            revision_sent=notice.revision,
            sent_at=at,
            store_by=store_by,
            acknowledge_by=acknowledge_by,
            version_asked=notice.version,
            revision_asked=notice.revision,
        )
    # What the authority has already done with the notice stands; only the new content is awaited in its store, by a new
    # deadline, which is escalated for itself.
    return replace(
        old,
        reasons=recipient.reasons,
        version_sent=notice.version,
        revision_sent=notice.revision,
        sent_at=at,
        store_by=store_by,
        escalated=None if old.escalated == "stored" else old.escalated,
    )


def ended(notice: Notice, state: NoticeState, at: datetime, event: _EndEvent) -> Change:
    """End a notice, and tell every authority that it still concerns."""
    changed = replace(notice, state=state, version=notice.version + 1)

    def about(entry: Entry) -> dict[str, Any]:
        return {
            "notice_id": notice.notice_id,
            "version": changed.version,
            "revision": notice.revision,
            "authority": entry.authority,
        }

    entries = tuple(
        entry
        if entry.state is EntryState.RELEASED
        else replace(entry.resent(changed.version, notice.revision), sent_at=at, escalated=None)
        for entry in notice.entries
    )
    events = tuple((entry.office, event(entry, about)) for entry in notice.active if entry.office is not None)
    emails = tuple(entry.authority for entry in notice.active if entry.office is None)
    return Change(replace(changed, entries=entries, unrouted=()), events, emails)
