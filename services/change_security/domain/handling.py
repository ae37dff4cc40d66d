"""Joint handling: whether a matter is handled jointly, which authority leads it, and who is its specialist.

Jointly, when it concerns two authorities of the region or more and certainly fewer employees than the agreed limit.
An authority that has taken its own part is out of it. Decided anew with each change of the notice; a lead and a
specialist stay while they can: the lead while the matter concerns it, the specialist while listed and present.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal

from pydantic import Field

from services.change_security.domain.ledger import Entry
from services.change_security.domain.notice import Change, Notice, NoticeState, Rulebook
from services.change_security.domain.reductions import affected
from services.change_security.domain.texts import Message, message
from shared.calendar import local_day
from shared.errors import ConflictError, RefusedError
from shared.events.envelope import Event, Part
from shared.events.v1.change_security import (
    Choice,
    Filing,
    Handling,
    HandlingChanged,
    HandlingMode,
    HandlingReason,
    NoticeAmended,
    NoticeAskedAgain,
    NoticeAssigned,
)
from shared.events.values import Absence
from shared.fair_shares import actual_share, agreed_share, choose, turn

RULE: Final = "rule"
"""By whom, where no officer decided."""

Language = Literal["fi", "sv", "en"]


class SpecialistProfile(Part):
    """In which languages an officer handles change security, for how much of a year, and when absent."""

    languages: tuple[Language, ...] = Field(max_length=3)
    person_years: float = Field(ge=0, le=1, description="0: no longer a specialist.")
    absences: tuple[Absence, ...] = Field(default=(), max_length=100)


@dataclass(frozen=True, slots=True)
class Specialist:
    """An officer as the choice sees one. `open`: joint matters that the officer is the specialist of."""

    officer: str
    authority: str
    languages: frozenset[str]
    person_years: float
    absences: tuple[Absence, ...] = ()
    open: int = 0

    def is_present(self, day: date) -> bool:
        """Whether the officer works on a day."""
        return self.person_years > 0 and not any(absence.since <= day <= absence.until for absence in self.absences)


@dataclass(frozen=True, slots=True)
class Staffing:
    """What a lead and a specialist are chosen by.

    Attributes:
        specialists: every listed officer.
        led: joint matters of the calendar year by lead.
        agreed: the agreed shares by authority.
        at: now.
    """

    specialists: Sequence[Specialist]
    led: Mapping[str, int]
    agreed: Mapping[str, float]
    at: datetime


def decide(notice: Notice, book: Rulebook) -> Handling:
    """Decide how a matter is handled, without saying by whom."""
    day = local_day(notice.receipt.arrived_at)
    limit = book.rules.value("joint_handling_below_affected", day)
    tally = affected(notice.filing)
    joint = tuple(sorted(entry.authority for entry in notice.active if _takes_part(entry)))
    if len(joint) < 2:  # noqa: PLR2004 - the law asks for cooperation of two or more
        reason = HandlingReason.ONE_AUTHORITY
    elif tally.stays_below(limit):
        reason = HandlingReason.SMALLER_AND_SHARED
    elif tally.at_least < limit:
        reason = HandlingReason.NUMBER_UNKNOWN
    else:
        reason = HandlingReason.NOT_SMALLER
    return Handling(
        mode=HandlingMode.JOINT if reason is HandlingReason.SMALLER_AND_SHARED else HandlingMode.OWN,
        reason=reason,
        authorities=joint,
        affected_at_least=tally.at_least,
        limit=limit,
        limit_to_be_checked=book.rules.certainty("joint_handling_below_affected", day) == "unverified",
    )


def mode_of(entry: Entry, handling: Handling) -> HandlingMode:
    """Return how one authority's part is handled."""
    if entry.office is None:
        return HandlingMode.EXTERNAL
    return handling.mode if _takes_part(entry) else HandlingMode.OWN


def _in_mode(entry: Entry, mode: HandlingMode) -> Entry:
    return entry if entry.mode is mode else replace(entry, mode=mode)


def _takes_part(entry: Entry) -> bool:
    return entry.office is not None and not entry.is_taken


def staff(handling: Handling, before: Handling | None, filing: Filing, staffing: Staffing) -> Handling:
    """Name the lead and the specialist of a joint matter. Who can stay, stays; the choice says why."""
    if handling.mode is not HandlingMode.JOINT:
        return handling
    lead = before.lead if before is not None else None
    if lead is not None and lead.authority not in handling.authorities:
        lead = None
    specialist = before.specialist if before is not None and lead is not None else None
    if specialist is not None and not _can_stay(specialist, handling, staffing):
        specialist = None
    if specialist is None:
        lead, specialist = _choose(handling, lead, filing.language, staffing)
    return handling.model_copy(update={"lead": lead, "specialist": specialist})


def _can_stay(specialist: Choice, handling: Handling, staffing: Staffing) -> bool:
    return specialist.authority in handling.authorities and any(
        listed.officer == specialist.officer
        and listed.authority == specialist.authority
        and listed.is_present(local_day(staffing.at))
        for listed in staffing.specialists
    )


def _choose(
    handling: Handling, lead: Choice | None, language: str | None, staffing: Staffing
) -> tuple[Choice | None, Choice | None]:
    agreed = staffing.agreed
    able = [
        listed
        for listed in staffing.specialists
        if listed.authority in handling.authorities
        and agreed.get(listed.authority, 0) > 0
        and listed.is_present(local_day(staffing.at))
        and (language is None or language in listed.languages)
    ]
    own = [listed for listed in able if lead is not None and listed.authority == lead.authority]
    if candidates := own or able:
        chosen = choose(candidates, staffing.led, agreed).candidate
        lead = lead or _lead(chosen.authority, staffing)
        return lead, Choice(
            authority=chosen.authority,
            officer=chosen.officer,
            by=RULE,
            because="specialist_by_load",
            open=chosen.open,
            at=staffing.at,
        )
    shared = [authority for authority in handling.authorities if agreed.get(authority, 0) > 0]
    if lead is None and shared:
        lead = _lead(turn(shared, staffing.led, agreed), staffing)
    return lead, None


def _lead(authority: str, staffing: Staffing) -> Choice:
    return Choice(
        authority=authority,
        by=RULE,
        because="lead_by_share",
        agreed_percent=round(100 * agreed_share(authority, staffing.agreed), 1),
        actual_percent=round(100 * actual_share(authority, staffing.led, staffing.agreed), 1),
        at=staffing.at,
    )


def settle(change: Change, handling: Handling) -> Change:
    """Put a handling in force with a change of the notice: every office that still has it hears of it once."""
    notice = change.notice
    entries = {entry.authority: _in_mode(entry, mode_of(entry, handling)) for entry in notice.active}
    heard: set[str] = set()
    events: list[tuple[str, Event]] = []
    for office, event in change.events:
        if isinstance(event, NoticeAssigned | NoticeAmended | NoticeAskedAgain | HandlingChanged):
            heard.add(event.authority)
            mode = entries[event.authority].mode
            events.append((office, event.model_copy(update={"handling": handling, "handling_mode": mode})))
        else:
            events.append((office, event))
    was_joint = notice.handling is not None and notice.handling.mode is HandlingMode.JOINT
    if handling != notice.handling and (was_joint or handling.mode is HandlingMode.JOINT):
        for entry in notice.active:
            if entry.office is not None and entry.authority not in heard:
                entries[entry.authority] = entries[entry.authority].resent(notice.version, notice.revision)
                events.append((entry.office, _changed(notice, entries[entry.authority], handling)))
    kept = tuple(entries.get(entry.authority, entry) for entry in notice.entries)
    return replace(change, notice=replace(notice, handling=handling, entries=kept), events=tuple(events))


def _changed(notice: Notice, entry: Entry, handling: Handling) -> HandlingChanged:
    return HandlingChanged(
        notice_id=notice.notice_id,
        version=notice.version,
        revision=notice.revision,
        authority=entry.authority,
        handling_mode=entry.mode,
        acting_authority=entry.acting_authority,
        handling=handling,
    )


def renew(notice: Notice, handling: Handling) -> Change:
    """Put a handling in force between two changes of the notice; the same one changes nothing."""
    if handling == notice.handling:
        return Change(notice)
    return settle(Change(replace(notice, version=notice.version + 1)), handling)


def name_lead(notice: Notice, authority: str, reason: str, by: str, staffing: Staffing) -> Change:
    """Let a coordinator name the lead. The specialist is chosen anew, of the lead's officers if there is one.

    Raises:
        ConflictError: the matter is not handled jointly.
        RefusedError: the authority does not take part in it.
    """
    handling = _joint(notice)
    if authority not in handling.authorities:
        raise RefusedError("/authority", "not-in-the-matter", "The authority does not take part in the matter.")
    lead = Choice(authority=authority, by=by, because="chosen_by_hand", reason=reason, at=staffing.at)
    changed = handling.model_copy(update={"lead": lead, "specialist": None})
    return renew(notice, staff(changed, changed, notice.filing, staffing))


def name_specialist(notice: Notice, officer: str, reason: str, by: str, staffing: Staffing) -> Change:
    """Let a coordinator name the specialist: a listed officer of any authority that takes part.

    Raises:
        ConflictError: the matter is not handled jointly.
        RefusedError: no such officer is listed there.
    """
    handling = _joint(notice)
    listed = next((one for one in staffing.specialists if one.officer == officer and one.person_years > 0), None)
    if listed is None or listed.authority not in handling.authorities:
        text = "No such officer is listed by an authority that takes part in the matter."
        raise RefusedError("/officer", "not-listed", text)
    specialist = Choice(
        authority=listed.authority,
        officer=officer,
        by=by,
        because="chosen_by_hand",
        open=listed.open,
        reason=reason,
        at=staffing.at,
    )
    return renew(notice, handling.model_copy(update={"specialist": specialist}))


def _joint(notice: Notice) -> Handling:
    if notice.state is not NoticeState.OPEN:
        raise ConflictError("not-open", f"The notice is {notice.state}.")
    if notice.handling is None or notice.handling.mode is not HandlingMode.JOINT:
        raise ConflictError("not-joint", "The matter is not handled jointly.")
    return notice.handling


def explained(handling: Handling) -> Message:
    """Say why a matter is handled jointly, or not."""
    codes = {
        HandlingReason.SMALLER_AND_SHARED: message(
            "smaller_and_shared",
            authorities=len(handling.authorities),
            affected=handling.affected_at_least,
            limit=handling.limit,
        ),
        HandlingReason.ONE_AUTHORITY: message("one_authority"),
        HandlingReason.NUMBER_UNKNOWN: message(
            "number_unknown", affected=handling.affected_at_least, limit=handling.limit
        ),
        HandlingReason.NOT_SMALLER: message("not_smaller", affected=handling.affected_at_least, limit=handling.limit),
    }
    return codes[handling.reason]


def choice_explained(choice: Choice) -> Message:
    """Say why somebody was chosen."""
    if choice.because == "lead_by_share":
        agreed, actual = f"{choice.agreed_percent:g}", f"{choice.actual_percent:g}"
        return message("lead_by_share", agreed=agreed, actual=actual)
    if choice.because == "specialist_by_load":
        return message("specialist_by_load", open=choice.open or 0)
    return message("chosen_by_hand", reason=choice.reason or "")


def is_absent(choice: Choice, specialists: Iterable[Specialist], day: date) -> bool:
    """Whether a matter's specialist is not present on a day, or is listed no longer."""
    return not any(one.officer == choice.officer and one.is_present(day) for one in specialists)
