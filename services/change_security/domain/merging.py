"""Two notices that are one, and a notice of terminations with the proposal that it follows.

Employers often mail the same proposal to several authorities: the same employer, measures and dates may be one notice.
Both are suggested to a coordinator, and never done by themselves.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.change_security.domain.ledger import Entry, EntryState
from services.change_security.domain.notice import (
    Change,
    Notice,
    NoticeState,
    Rulebook,
    completion_asked,
    ended,
    must_be_open,
    rerouted,
    revise,
)
from services.change_security.domain.resolution import opened_again
from shared.errors import ConflictError, RefusedError
from shared.events.v1.change_security import AskedBecause, Filing, FilingKind, NoticeMerged

MERGE_WITHIN: Final = timedelta(days=30)
"""Two filings of one proposal arrive within days of each other; ours, no rule of law."""

FOLLOWS_WITHIN: Final = timedelta(days=365)
"""A notice of terminations follows its proposal within months; ours, no rule of law."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing and when it arrived."""

    filing: Filing
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """What follows from a merge or its undoing: for the notice that continues, and for the one absorbed in it."""

    kept: Change
    absorbed: Change


def may_be_one(first: Filed, second: Filed) -> bool:
    """Whether two filings may be one notice: the same employer, measures and dates, arrived within 30 days."""
    return abs(first.arrived_at - second.arrived_at) <= MERGE_WITHIN and _likeness(first.filing) == _likeness(
        second.filing
    )


def may_follow(notice: Filed, proposal: Filed) -> bool:
    """Whether a notice of terminations may follow a proposal: the same employer, arrived within a year after it."""
    return (
        notice.filing.kind is FilingKind.TERMINATION_NOTICE
        and proposal.filing.kind is FilingKind.NEGOTIATION_PROPOSAL
        and notice.filing.employer.business_id == proposal.filing.employer.business_id
        and timedelta(0) <= notice.arrived_at - proposal.arrived_at <= FOLLOWS_WITHIN
    )


def _likeness(filing: Filing) -> tuple[object, ...]:
    negotiations = filing.negotiations
    return (
        filing.kind,
        filing.employer.business_id,
        negotiations and (negotiations.starts_at, negotiations.given_on, negotiations.personnel_informed_on),
        Counter((part.measure, part.personnel_group, part.count) for part in filing.measures),
        Counter((part.count, part.ends_from, part.ends_until) for part in filing.terminations),
    )


def merge(kept: Notice, absorbed: Notice, at: datetime, book: Rulebook) -> Merge:
    """Make two notices one. Each authority has one entry in the ledger that continues, with its earliest receipt.

    Whom the absorbed notice alone concerned, the one that continues concerns now. Each authority's answer to the one
    that continues stands; its answer to the absorbed one ends with it.

    Raises:
        RefusedError: they are the same notice, of two employers, or of two kinds.
        ConflictError: one of them is not open, others are merged into the one to be absorbed, or a place of it still
            waits to be routed.
    """
    if kept.notice_id == absorbed.notice_id:
        raise RefusedError("/notice_id", "same-notice", "A notice cannot be merged with itself.")
    if kept.filing.employer.business_id != absorbed.filing.employer.business_id:
        raise RefusedError("/notice_id", "other-employer", "The notices are of two employers.")
    if kept.filing.kind is not absorbed.filing.kind:
        raise RefusedError("/notice_id", "other-kind", "The notices are two filings: link them instead.")
    must_be_open(kept)
    must_be_open(absorbed)
    if absorbed.absorbed:
        raise ConflictError("has-merged", "Others are merged into the notice: keep that one instead.")
    if absorbed.unrouted:
        raise ConflictError("unrouted-places", "Places of the notice wait in the unrouted queue: deal with them first.")
    here = {entry.authority for entry in kept.active}
    added = tuple(sorted({entry.authority for entry in absorbed.active} - here))
    united = rerouted(
        replace(
            kept,
            version=kept.version + 1,
            manual=tuple(dict.fromkeys((*kept.manual, *added))),
            excluded=tuple(code for code in kept.excluded if code not in added),
            absorbed=(*kept.absorbed, absorbed.notice_id),
        ),
        at,
        book,
    )
    entries = tuple(_earliest(entry, absorbed.entry(entry.authority)) for entry in united.notice.entries)
    into = kept.notice_id
    gone = ended(absorbed, NoticeState.MERGED, at, lambda entry, about: NoticeMerged(**about(entry), into=into))
    return Merge(
        replace(united, notice=replace(united.notice, entries=entries)),
        replace(gone, notice=replace(gone.notice, merged_into=into, merge_added=added)),
    )


def revise_absorbed(
    kept: Notice, absorbed: Notice, filing: Filing, at: datetime, book: Rulebook, *, arrived_at: datetime | None = None
) -> Merge:
    """Put a revision in force whose filer knows the absorbed notice alone: it becomes the next one of both.

    Nothing is overwritten, and the absorbed one stays whole, so that it can be restored.

    Raises:
        ConflictError: the notice that continues is no longer open.
    """
    revised = replace(
        absorbed,
        version=absorbed.version + 1,
        revision=absorbed.revision + 1,
        filing=filing,
        revised_at=at,
        revision_arrived_at=arrived_at or at,
        completion_asked_at=completion_asked(filing, absorbed.receipt, at, before=absorbed.completion_asked_at),
    )
    return Merge(revise(kept, filing, kept.revision, at, book, arrived_at=arrived_at), Change(revised))


def unmerge(kept: Notice, absorbed: Notice, reason: str, at: datetime, book: Rulebook) -> Merge:
    """Make one notice two again. The absorbed one is open again, and its authorities are asked to acknowledge it.

    What the merge added to the notice that continues leaves it, if that is still open.

    Raises:
        ConflictError: the notice is not merged into the other.
    """
    if absorbed.merged_into != kept.notice_id:
        raise ConflictError("not-merged", "The notice is not merged into this one.")
    back = replace(absorbed, merged_into=None, merge_added=())
    restored = opened_again(back, AskedBecause.UNMERGED, reason, at, book)
    left = tuple(notice_id for notice_id in kept.absorbed if notice_id != absorbed.notice_id)
    kept = replace(kept, version=kept.version + 1, absorbed=left)
    if kept.state is not NoticeState.OPEN:
        return Merge(Change(kept), restored)
    manual = tuple(code for code in kept.manual if code not in absorbed.merge_added)
    return Merge(rerouted(replace(kept, manual=manual), at, book), restored)


def link(notice: Notice, proposal: Notice) -> Change:
    """Link a notice of terminations to the proposal that it follows: one matter, with one outcome.

    Raises:
        RefusedError: the other is no proposal, this is no notice of terminations, or they are of two employers.
    """
    if notice.filing.kind is not FilingKind.TERMINATION_NOTICE:
        raise RefusedError(
            "/notice_id", "not-a-termination-notice", "Only a notice of terminations follows a proposal."
        )
    if proposal.filing.kind is not FilingKind.NEGOTIATION_PROPOSAL:
        raise RefusedError("/notice_id", "not-a-proposal", "The other notice is no negotiation proposal.")
    if notice.filing.employer.business_id != proposal.filing.employer.business_id:
        raise RefusedError("/notice_id", "other-employer", "The notices are of two employers.")
    return Change(replace(notice, relates_to=proposal.notice_id))


def unlink(notice: Notice) -> Change:
    """Undo a link.

    Raises:
        ConflictError: there is none.
    """
    if notice.relates_to is None:
        raise ConflictError("not-linked", "The notice is linked to no proposal.")
    return Change(replace(notice, relates_to=None))


def _earliest(entry: Entry, other: Entry | None) -> Entry:
    if other is None or entry.state is EntryState.RELEASED:
        return entry
    return replace(
        entry,
        stored_at=min(filter(None, (entry.stored_at, other.stored_at)), default=None),
        acknowledged_at=min(filter(None, (entry.acknowledged_at, other.acknowledged_at)), default=None),
    )
