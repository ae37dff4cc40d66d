"""The lifecycle of a vacancy: reported, revised, paused, filled, expired, withdrawn; and what everyone sees of it."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from shared.calendar import local_day
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.envelope import Event
from shared.events.v1.change_security import Occupation
from shared.events.v1.placement import Vacancy, VacancyPublished, VacancyState, VacancySubmitted, Wanted
from shared.events.values import is_business_id

_NEXT: Final = {
    VacancyState.DRAFT: {VacancyState.OPEN, VacancyState.WITHDRAWN},
    VacancyState.OPEN: {
        VacancyState.PAUSED,
        VacancyState.FILLED,
        VacancyState.EXPIRED,
        VacancyState.WITHDRAWN,
    },
    VacancyState.PAUSED: {
        VacancyState.OPEN,
        VacancyState.FILLED,
        VacancyState.EXPIRED,
        VacancyState.WITHDRAWN,
    },
}
"""Filled, expired and withdrawn are ends; but hirings may fill an expired one, and their correction undoes that."""
_CODE_DIGITS: Final = 3
_LANGUAGE: Final = re.compile(r"[a-z]{2}", re.ASCII)


class Removal(StrEnum):
    """Why an advertisement is not shown any more. `changed`: it no longer fits the reader's filter."""

    PAUSED = "paused"
    FILLED = "filled"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader of the feed asks for. `occupation` is an ISCO-08 code or a beginning of one.

    `language`: one that the advertisement is written in, or translated into.
    """

    municipality: str | None = None
    occupation: str | None = None
    language: str | None = None

    def fits(self, posting: "Posting") -> bool:
        """Whether a posting is asked for."""
        return (
            self.municipality in {None, *posting.vacancy.places}
            and posting.isco.startswith(self.occupation or "")
            and self.language in {None, *posting.advertised_in}
        )


@dataclass(frozen=True, slots=True)
class Posting:
    """A vacancy with its state. `version` grows with every change; `revision` numbers what the employer reported.

    Attributes:
        isco: the ISCO-08 group of the occupation.
        filled: positions that referrals have filled.
        resumes: the state that a correction of the last hiring returns to; None while hirings have not filled it.
        state_since: since when it is in its state.
        shown_at: since when everyone may know of it; None of a draft, and of one that was withdrawn as a draft.
    """

    vacancy_id: UUID
    state: VacancyState
    version: int
    revision: int
    vacancy: Vacancy
    filed_by: str
    changed_at: datetime
    isco: str
    state_since: datetime
    filled: int = 0
    shown_at: datetime | None = None
    resumes: VacancyState | None = None

    @property
    def municipalities(self) -> tuple[str, ...]:
        """The municipalities of the workplaces."""
        return self.vacancy.places

    @property
    def advertised_in(self) -> tuple[str, ...]:
        """The languages of the advertisement."""
        return self.vacancy.advertised_in

    @property
    def removal(self) -> Removal | None:
        """Why the advertisement is not shown; None while it is, and of one that never was."""
        if self.state is VacancyState.OPEN or self.shown_at is None:
            return None
        return Removal(self.state.value)


@dataclass(frozen=True, slots=True)
class Change:
    """A vacancy as an act leaves it, and what is published of the act. The same version as before: nothing changed."""

    posting: Posting
    events: tuple[Event, ...] = ()


def report(vacancy_id: UUID, vacancy: Vacancy, isco: str, state: VacancyState, filed_by: str, at: datetime) -> Change:
    """Open a posting.

    Raises:
        RefusedError: a value is not valid.
    """
    check(vacancy)
    posting = Posting(vacancy_id, state, 1, 1, vacancy, filed_by, at, isco, at)
    return _changed(replace(posting, shown_at=at) if state is VacancyState.OPEN else posting)


def revise(posting: Posting, vacancy: Vacancy, isco: str, predecessor: int, at: datetime) -> Change:
    """Put a new revision in force. One with no more positions than are filled fills the vacancy.

    Raises:
        RefusedError: a value is not valid.
        ConflictError: the revision does not follow the newest one, or the vacancy has ended.
    """
    check(vacancy)
    if predecessor != posting.revision:
        raise ConflictError("stale-predecessor", f"The newest revision is {posting.revision}.")
    if posting.state not in _NEXT:
        raise ConflictError("invalid-state", f"The vacancy is {posting.state}.")
    revised = replace(
        posting,
        version=posting.version + 1,
        revision=posting.revision + 1,
        vacancy=vacancy,
        isco=isco,
        changed_at=at,
    )
    return _changed(_settled(revised, at))


def submit(posting: Posting | None, event: VacancySubmitted, isco: str, filed_by: str, at: datetime) -> Change:
    """Take in what another system submits.

    Its first revision reports the vacancy, a later one revises it; the newest one again changes nothing.

    Raises:
        UnknownError: the first revision has not come.
        RefusedError: a value is not valid.
        ConflictError: the revision does not follow the newest one, or the vacancy has ended.
    """
    if posting is None:
        if event.revision != 1:
            raise UnknownError("vacancy")
        return report(event.vacancy_id, event.vacancy, isco, event.status, filed_by, at)
    if (posting.revision, posting.vacancy) == (event.revision, event.vacancy):
        return Change(posting)
    return revise(posting, event.vacancy, isco, event.revision - 1, at)


def move(posting: Posting, state: VacancyState, at: datetime) -> Change:
    """Change the state. The same state again changes nothing.

    Raises:
        ConflictError: the state does not follow from the present one.
    """
    if state is posting.state:
        return Change(posting)
    if state not in _NEXT.get(posting.state, ()):
        raise ConflictError("invalid-state", f"A vacancy that is {posting.state} cannot become {state}.")
    moved = replace(posting, state=state, version=posting.version + 1, changed_at=at, state_since=at)
    return _changed(replace(moved, shown_at=posting.shown_at or at) if state is VacancyState.OPEN else moved)


def fill(posting: Posting, at: datetime) -> Change:
    """Fill one position; with the last one the vacancy is filled, also one that has expired.

    Raises:
        ConflictError: all positions are filled.
    """
    if posting.filled >= posting.vacancy.positions:
        raise ConflictError("positions-filled", f"All {posting.vacancy.positions} positions are filled.")
    filled = replace(posting, filled=posting.filled + 1, version=posting.version + 1, changed_at=at)
    return _changed(_settled(filled, at))


def vacate(posting: Posting, at: datetime) -> Change:
    """Free a position that was filled by mistake; a vacancy that it had filled is what it was before.

    One that was open and whose last day has passed meanwhile has expired.
    """
    resumes = posting.state is VacancyState.FILLED and posting.filled >= posting.vacancy.positions
    freed = replace(posting, filled=max(0, posting.filled - 1), version=posting.version + 1, changed_at=at)
    if not resumes:
        return _changed(freed)
    expires_on = posting.vacancy.expires_on
    is_past = expires_on is not None and expires_on < local_day(at)
    state = VacancyState.EXPIRED if is_past else posting.resumes or VacancyState.OPEN
    return _changed(replace(freed, state=state, state_since=at, resumes=None))


def _settled(posting: Posting, at: datetime) -> Posting:
    is_filled = posting.filled >= posting.vacancy.positions
    if is_filled and posting.state in {VacancyState.OPEN, VacancyState.PAUSED, VacancyState.EXPIRED}:
        return replace(posting, state=VacancyState.FILLED, state_since=at, resumes=posting.state)
    return posting


def published(posting: Posting) -> VacancyPublished:
    """Return what everyone may see: the content of an open vacancy, of others the state alone."""
    shown = posting.vacancy if posting.state is VacancyState.OPEN else None
    return VacancyPublished(
        vacancy_id=posting.vacancy_id,
        version=posting.version,
        status=posting.state,
        vacancy=shown,
        removed_at=posting.state_since if posting.removal else None,
        open_positions=max(0, posting.vacancy.positions - posting.filled) if shown else None,
    )


def wanted(posting: Posting) -> Wanted:
    """Return what the pools are asked for.

    Raises:
        ConflictError: the vacancy is not open.
    """
    if posting.state is not VacancyState.OPEN:
        raise ConflictError("invalid-state", f"The vacancy is {posting.state}.")
    return wanted_for(posting.vacancy, posting.isco)


def wanted_for(vacancy: Vacancy, isco: str) -> Wanted:
    """Return what a pool is asked for a vacancy in an ISCO-08 group: nothing of the employer."""
    return Wanted(
        occupation=Occupation(scheme="ISCO-08", code=isco, label=vacancy.occupation.label),
        skills=vacancy.skills,
        languages=vacancy.languages,
        municipality=vacancy.municipality,
        municipalities=vacancy.municipalities,
        starts_on=vacancy.starts_on,
    )


def _changed(posting: Posting) -> Change:
    return Change(posting, () if posting.shown_at is None else (published(posting),))


def check(vacancy: Vacancy) -> None:
    """Check a vacancy's values.

    Raises:
        RefusedError: one is not valid.
    """
    business_id = vacancy.employer.business_id
    if not is_business_id(business_id):
        pointer = "/vacancy/employer/business_id"
        raise RefusedError(pointer, "wrong-business-id", "The business id (Y-tunnus) is not valid.")
    if vacancy.apply_url is not None and not _is_web_address(vacancy.apply_url):
        raise RefusedError("/vacancy/apply_url", "wrong-url", "The address to apply at must begin with https or http.")
    addresses = {"apply_email": vacancy.apply_email}
    if vacancy.contact is not None:
        addresses["contact/email"] = vacancy.contact.email
    for name, address in addresses.items():
        if address is not None and not _is_email(address):
            raise RefusedError(f"/vacancy/{name}", "wrong-email", "The e-mail address is not valid.")
    if any(len(code) != _CODE_DIGITS or not code.isdigit() for code in vacancy.municipalities or ()):
        raise RefusedError("/vacancy/municipalities", "wrong-municipality", "A municipality's code has three digits.")
    _check_languages_and_dates(vacancy)
    if vacancy.pay is not None:
        _check_range("/vacancy/pay/most", vacancy.pay.least, vacancy.pay.most)
    if vacancy.working_time is not None:
        time = vacancy.working_time
        _check_range("/vacancy/working_time/hours_per_week_max", time.hours_per_week_min, time.hours_per_week_max)


def _check_languages_and_dates(vacancy: Vacancy) -> None:
    if not all(_LANGUAGE.fullmatch(language) for language in vacancy.languages):
        # "Finnish" or "FI" would be a language that every candidate lacks.
        raise RefusedError(
            "/vacancy/languages", "wrong-language", "A language has two letters by ISO 639-1, such as fi."
        )
    if len(set(vacancy.advertised_in)) < len(vacancy.advertised_in):
        raise RefusedError("/vacancy/translations", "same-language-twice", "The advertisement has each language once.")
    if vacancy.starts_on is not None and vacancy.ends_on is not None and vacancy.ends_on < vacancy.starts_on:
        raise RefusedError("/vacancy/ends_on", "wrong-dates", "The employment ends before it starts.")


def _is_web_address(given: str) -> bool:
    try:
        address = urlsplit(given)
    except ValueError:
        return False
    return address.scheme in {"https", "http"} and bool(address.hostname) and " " not in given


def _is_email(given: str) -> bool:
    name, at, host = given.rpartition("@")
    return bool(name and at) and "." in host and not set(given) & set(" \t\r\n,;")


def _check_range(pointer: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and most < least:
        raise RefusedError(pointer, "range", "The greatest value is less than the least.")
