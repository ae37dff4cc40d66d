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
from services.change_security.domain.routing import AuthorityTable, Recipient, Routing, Unrouted, route
from services.change_security.domain.rules import RuleTable
from shared.calendar import local_day
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.envelope import Event
from shared.events.v1.change_security import (
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
    """A notice with its newest revision and its ledger."""

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
        completion_asked_at=_completion_asked(filing, receipt, receipt.registered_at),
        revision_arrived_at=receipt.arrived_at,
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
) -> Change:
    """Put a new revision of the filing in force. It may add an authority, or drop one.

    `arrived_at`: when the revision reached an authority, if that was before now. No clock of the notice starts again.

    Raises:
        ConflictError: the predecessor is not the newest revision, or the notice is no longer open.
    """
    _must_be_open(notice)
    if predecessor != notice.revision:
        raise ConflictError("stale-predecessor", f"The newest revision is {notice.revision}.")
    revised = replace(
        notice,
        version=notice.version + 1,
        revision=notice.revision + 1,
        filing=filing,
        revised_at=at,
        revision_arrived_at=arrived_at or at,
        completion_asked_at=_completion_asked(filing, notice.receipt, at, before=notice.completion_asked_at),
    )
    routing = _route(filing, notice.receipt, book, manual=notice.manual)
    return _sent(replace(revised, routing_version=routing.version, unrouted=routing.unrouted), routing, at, book)


def add_authority(notice: Notice, authority: str, at: datetime, book: Rulebook) -> Change:
    """Send the notice to an authority that a coordinator names.

    Raises:
        UnknownError: there is no such authority.
        ConflictError: the notice is no longer open.
    """
    _must_be_open(notice)
    if authority not in book.authorities.authorities:
        raise UnknownError("authority")
    manual = tuple(dict.fromkeys((*notice.manual, authority)))
    routing = _route(notice.filing, notice.receipt, book, manual=manual)
    changed = replace(
        notice,
        version=notice.version + 1,
        manual=manual,
        routing_version=routing.version,
        unrouted=routing.unrouted,
    )
    return _sent(changed, routing, at, book)


def withdraw(notice: Notice, at: datetime) -> Change:
    """End a notice that the employer has withdrawn. Withdrawing twice changes nothing.

    Raises:
        ConflictError: the notice is closed.
    """
    if notice.state is NoticeState.WITHDRAWN:
        return Change(notice)
    _must_be_open(notice)
    return _ended(notice, NoticeState.WITHDRAWN, at, lambda entry, about: NoticeWithdrawn(**about(entry)))


def close(notice: Notice, outcome: Outcome, at: datetime) -> Change:
    """End a notice with or without terminations. Closing twice with the same outcome changes nothing.

    Raises:
        ConflictError: the notice is withdrawn, or closed with another outcome.
    """
    if notice.state is NoticeState.CLOSED and notice.outcome is outcome:
        return Change(notice)
    _must_be_open(notice)
    closed = replace(notice, outcome=outcome)
    return _ended(closed, NoticeState.CLOSED, at, lambda entry, about: NoticeClosed(**about(entry), outcome=outcome))


def take(notice: Notice, authority: str, at: datetime) -> Change:
    """Let an authority take its own part out of joint handling. Repeating it changes nothing.

    A part that the notice does not have, or has released meanwhile, is passed over.
    """
    entry = notice.entry(authority)
    return _part_changed(notice, authority, entry.taken(at) if entry is not None else None)


def give_back(notice: Notice, authority: str) -> Change:
    """Let an authority return its own part to joint handling. Repeating it changes nothing."""
    entry = notice.entry(authority)
    return _part_changed(notice, authority, entry.returned() if entry is not None else None)


def _part_changed(notice: Notice, authority: str, changed: Entry | None) -> Change:
    before = notice.entry(authority)
    office = before.office if before is not None else None
    if changed is None or before is None or office is None or changed.state is before.state:
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
    confirmed = entry.stored(confirmed_version, revision, at).acknowledged(authority, at)
    entries = tuple(confirmed if part is entry else part for part in notice.entries)
    return Change(replace(notice, entries=entries))


def _completion_asked(
    filing: Filing, receipt: Receipt, at: datetime, *, before: datetime | None = None
) -> datetime | None:
    """Return when completion was really asked: by a system's receipt now, or before by a letter; None if by nothing."""
    if not missing(filing):
        return None
    return at if receipt.channel in BY_SYSTEMS else before


def _must_be_open(notice: Notice) -> None:
    if notice.state is not NoticeState.OPEN:
        raise ConflictError("not-open", f"The notice is {notice.state}.")


def _route(filing: Filing, receipt: Receipt, book: Rulebook, manual: Sequence[str] = ()) -> Routing:
    return route(filing, local_day(receipt.arrived_at), book.authorities, manual=manual)


def _sent(notice: Notice, routing: Routing, at: datetime, book: Rulebook) -> Change:
    """Compare the routing with the ledger: assign to the new, amend for the old, release those no longer concerned."""
    day = local_day(at)
    acknowledge_by = business_days_after(at, book.rules.value("acknowledge_within", day))
    store_by = at + timedelta(minutes=book.rules.value("store_within", day))
    lacking = missing(notice.filing)
    before = {entry.authority: entry for entry in notice.entries}
    entries: list[Entry] = []
    events: list[tuple[str, Event]] = []
    emails: list[str] = []
    for recipient in routing.recipients:
        old = before.pop(recipient.authority, None)
        is_new = old is None or old.state is EntryState.RELEASED
        entry = _entry(old if not is_new else None, recipient, notice, at, store_by, acknowledge_by)
        entries.append(entry)
        if recipient.office is None:
            emails.append(recipient.authority)
            continue
        kind = NoticeAssigned if is_new else NoticeAmended
        events.append(
            (
                recipient.office,
                kind(
                    notice_id=notice.notice_id,
                    version=notice.version,
                    revision=notice.revision,
                    authority=recipient.authority,
                    reasons=recipient.reasons,
                    handling_mode=entry.mode,
                    routing_version=notice.routing_version,
                    arrived_at=notice.receipt.arrived_at,
                    registered_at=notice.receipt.registered_at,
                    acknowledge_by=entry.acknowledge_by,
                    missing=lacking,
                    filing=notice.filing,
                    filer_reference=notice.receipt.filer_reference,
                    arrived_at_claimed=notice.receipt.arrived_at_claimed,
                    revision_arrived_at=notice.revision_arrived_at,
                ),
            )
        )
    for old in before.values():
        if old.state is EntryState.RELEASED:
            entries.append(old)
            continue
        entries.append(old.released(notice.version, notice.revision, at))
        if old.office is not None:
            events.append(
                (
                    old.office,
                    NoticeReleased(
                        notice_id=notice.notice_id,
                        version=notice.version,
                        revision=notice.revision,
                        authority=old.authority,
                    ),
                )
            )
        else:
            emails.append(old.authority)
    return Change(replace(notice, entries=tuple(entries)), tuple(events), tuple(emails))


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
        )
    # What the authority has already done with the notice stands; only the new content is awaited in its store.
    return replace(
        old,
        reasons=recipient.reasons,
        version_sent=notice.version,
        revision_sent=notice.revision,
        sent_at=at,
        store_by=store_by,
    )


def _ended(notice: Notice, state: NoticeState, at: datetime, event: _EndEvent) -> Change:
    ended = replace(notice, state=state, version=notice.version + 1)

    def about(entry: Entry) -> dict[str, Any]:
        return {
            "notice_id": notice.notice_id,
            "version": ended.version,
            "revision": notice.revision,
            "authority": entry.authority,
        }

    entries = tuple(
        entry
        if entry.state is EntryState.RELEASED
        else replace(entry.resent(ended.version, notice.revision), sent_at=at)
        for entry in notice.entries
    )
    events = tuple((entry.office, event(entry, about)) for entry in notice.active if entry.office is not None)
    emails = tuple(entry.authority for entry in notice.active if entry.office is None)
    return Change(replace(ended, entries=entries, unrouted=()), events, emails)
