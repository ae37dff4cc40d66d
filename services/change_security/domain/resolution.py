"""What a coordinator decides where a notice would otherwise end nowhere: released, insisted, dismissed, reopened.

Every open notice is somebody's: an authority has it, or a place of it waits in the unrouted queue. An act that would
leave it to nobody is refused.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from services.change_security.domain.ledger import Entry, EntryState
from services.change_security.domain.notice import (
    Change,
    Notice,
    NoticeState,
    Rulebook,
    content,
    deadlines,
    must_be_open,
    released_event,
    rerouted,
)
from services.change_security.domain.routing import Unrouted
from shared.errors import ConflictError, UnknownError
from shared.events.envelope import Event
from shared.events.v1.change_security import AskedBecause, NoticeAmended, NoticeAskedAgain, NoticeAssigned


def release(notice: Notice, authority: str, at: datetime) -> Change:
    """Release an authority by a coordinator's judgement.

    It stays released through later revisions, until one changes what is its own, or a coordinator adds it again.

    Raises:
        UnknownError: the notice concerns no such authority.
        ConflictError: the notice is no longer open, or nobody would have it.
    """
    must_be_open(notice)
    entry = _active(notice, authority)
    if len(notice.active) == 1 and not notice.unrouted:
        raise ConflictError("last-authority", "Nobody would have the notice: add another authority, or close it.")
    changed = replace(
        notice,
        version=notice.version + 1,
        manual=tuple(code for code in notice.manual if code != authority),
        excluded=tuple(dict.fromkeys((*notice.excluded, authority))),
    )
    released = entry.released(changed.version, notice.revision, at)
    events = ((entry.office, released_event(changed, entry)),) if entry.office is not None else ()
    emails = (authority,) if entry.office is None else ()
    return Change(_with(changed, [released]), events, emails)


def insist(notice: Notice, authority: str, reason: str, at: datetime, book: Rulebook) -> Change:
    """Ask an authority again that has declined: its part is its own, for the reason given.

    Raises:
        UnknownError: the notice concerns no such authority.
        ConflictError: the notice is no longer open, or the authority has not declined.
    """
    must_be_open(notice)
    if _active(notice, authority).state is not EntryState.NOT_OURS:
        raise ConflictError("not-declined", "The authority has not declined.")
    changed = replace(notice, version=notice.version + 1)
    return asked_again(changed, {authority}, AskedBecause.INSISTED, reason, at, book)


def dismiss(notice: Notice, place: Unrouted) -> Change:
    """Take a place out of the unrouted queue: no authority needs to hear of it.

    Raises:
        UnknownError: the place does not wait.
        ConflictError: the notice is no longer open, or nobody would have it.
    """
    must_be_open(notice)
    left = tuple(other for other in notice.unrouted if not _is_same(other, place))
    if len(left) == len(notice.unrouted):
        raise UnknownError("unrouted place")
    if not left and not notice.active:
        raise ConflictError("last-authority", "Nobody would have the notice: add an authority, or close it.")
    gone = tuple(other for other in notice.unrouted if _is_same(other, place))
    return Change(replace(notice, unrouted=left, settled=(*notice.settled, *gone)))


def restore(notice: Notice, place: Unrouted) -> Change:
    """Put a place that a coordinator has dealt with into the unrouted queue again.

    Raises:
        UnknownError: no such place was dealt with.
        ConflictError: the notice is no longer open.
    """
    must_be_open(notice)
    back = tuple(other for other in notice.settled if _is_same(other, place))
    if not back:
        raise UnknownError("dismissed place")
    settled = tuple(other for other in notice.settled if not _is_same(other, place))
    return Change(replace(notice, unrouted=(*notice.unrouted, *back), settled=settled))


def reopen(notice: Notice, reason: str, at: datetime, book: Rulebook) -> Change:
    """Open a notice again that was withdrawn or closed by mistake. Every authority is asked to acknowledge again.

    Raises:
        ConflictError: the notice has not ended, or it continues in another one.
    """
    if notice.state is NoticeState.MERGED:
        raise ConflictError("merged", "The notice continues in another one: unmerge it.")
    if notice.state is NoticeState.OPEN:
        raise ConflictError("already-open", "The notice is open.")
    return opened_again(notice, AskedBecause.REOPENED, reason, at, book)


def opened_again(notice: Notice, because: AskedBecause, reason: str, at: datetime, book: Rulebook) -> Change:
    """Open a notice that has ended: route it by the present table, and ask every authority again."""
    opened = replace(notice, state=NoticeState.OPEN, version=notice.version + 1, outcome=None)
    routed = rerouted(opened, at, book)
    known = {entry.authority for entry in notice.active}
    again = {entry.authority for entry in routed.notice.active} & known
    asked = asked_again(routed.notice, again, because, reason, at, book)
    # An office that is asked again hears that, in place of the amendment.
    told = tuple((office, event) for office, event in routed.events if not _repeats(event, again))
    return Change(asked.notice, (*told, *asked.events), tuple(dict.fromkeys((*routed.emails, *asked.emails))))


def asked_again(
    notice: Notice, authorities: Iterable[str], because: AskedBecause, reason: str, at: datetime, book: Rulebook
) -> Change:
    """Ask authorities of a changed notice to acknowledge anew."""
    store_by, acknowledge_by = deadlines(at, book)
    asked = [
        replace(entry.asked(notice.version, notice.revision, at, acknowledge_by, because), store_by=store_by)
        for authority in sorted(authorities)
        if (entry := notice.entry(authority)) is not None
    ]
    events = tuple(
        (entry.office, NoticeAskedAgain(**content(notice, entry), reason=reason))
        for entry in asked
        if entry.office is not None
    )
    emails = tuple(entry.authority for entry in asked if entry.office is None)
    return Change(_with(notice, asked), events, emails)


def _active(notice: Notice, authority: str) -> Entry:
    entry = notice.entry(authority)
    if entry is None or entry.state is EntryState.RELEASED:
        raise UnknownError("authority in the notice")
    return entry


def _with(notice: Notice, changed: Iterable[Entry]) -> Notice:
    by_authority = {entry.authority: entry for entry in changed}
    return replace(notice, entries=tuple(by_authority.get(entry.authority, entry) for entry in notice.entries))


def _is_same(place: Unrouted, other: Unrouted) -> bool:
    return (place.kind, place.municipality) == (other.kind, other.municipality)


def _repeats(event: Event, authorities: set[str]) -> bool:
    return isinstance(event, NoticeAmended | NoticeAssigned) and event.authority in authorities
