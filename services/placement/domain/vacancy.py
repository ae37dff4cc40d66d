"""The lifecycle of a vacancy: reported, revised, paused, filled, expired, withdrawn; and what everyone sees of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from services.placement.domain.matching import isco
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.envelope import Event
from shared.events.v1.placement import Vacancy, VacancyPublished, VacancyStatus, VacancySubmitted, Wanted
from shared.events.values import is_business_id

_NEXT: Final = {
    VacancyStatus.DRAFT: {VacancyStatus.OPEN, VacancyStatus.WITHDRAWN},
    VacancyStatus.OPEN: {
        VacancyStatus.PAUSED,
        VacancyStatus.FILLED,
        VacancyStatus.EXPIRED,
        VacancyStatus.WITHDRAWN,
    },
    VacancyStatus.PAUSED: {
        VacancyStatus.OPEN,
        VacancyStatus.FILLED,
        VacancyStatus.EXPIRED,
        VacancyStatus.WITHDRAWN,
    },
}
"""Filled, expired and withdrawn are ends."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A vacancy with its state. `version` grows with every change; `revision` numbers what the employer reported."""

    vacancy_id: UUID
    state: VacancyStatus
    version: int
    revision: int
    vacancy: Vacancy
    filed_by: str
    changed_at: datetime

    @property
    def isco(self) -> str:
        """The ISCO-08 code of the occupation; empty when it has none."""
        return isco(self.vacancy.occupation)


@dataclass(frozen=True, slots=True)
class Change:
    """A vacancy as an act leaves it, and what is published of the act. The same version as before: nothing changed."""

    posting: Posting
    events: tuple[Event, ...] = ()


def report(vacancy_id: UUID, vacancy: Vacancy, state: VacancyStatus, filed_by: str, at: datetime) -> Change:
    """Open a posting.

    Raises:
        RefusedError: the employer's business id is not valid.
    """
    _check(vacancy)
    return _changed(Posting(vacancy_id, state, 1, 1, vacancy, filed_by, at))


def revise(posting: Posting, vacancy: Vacancy, predecessor: int, at: datetime) -> Change:
    """Put a new revision in force.

    Raises:
        RefusedError: the employer's business id is not valid.
        ConflictError: the revision does not follow the newest one, or the vacancy has ended.
    """
    _check(vacancy)
    if predecessor != posting.revision:
        raise ConflictError("stale-predecessor", f"The newest revision is {posting.revision}.")
    if posting.state not in _NEXT:
        raise ConflictError("invalid-state", f"The vacancy is {posting.state}.")
    revision = posting.revision + 1
    return _changed(replace(posting, version=posting.version + 1, revision=revision, vacancy=vacancy, changed_at=at))


def submit(posting: Posting | None, event: VacancySubmitted, filed_by: str, at: datetime) -> Change:
    """Take in what another system submits.

    Its first revision reports the vacancy, a later one revises it; the newest one again changes nothing.

    Raises:
        UnknownError: the first revision has not come.
        RefusedError: the employer's business id is not valid.
        ConflictError: the revision does not follow the newest one, or the vacancy has ended.
    """
    if posting is None:
        if event.revision != 1:
            raise UnknownError("vacancy")
        return report(event.vacancy_id, event.vacancy, event.status, filed_by, at)
    if (posting.revision, posting.vacancy) == (event.revision, event.vacancy):
        return Change(posting)
    return revise(posting, event.vacancy, event.revision - 1, at)


def move(posting: Posting, state: VacancyStatus, at: datetime) -> Change:
    """Change the state. The same state again changes nothing.

    Raises:
        ConflictError: the state does not follow from the present one.
    """
    if state is posting.state:
        return Change(posting)
    if state not in _NEXT.get(posting.state, ()):
        raise ConflictError("invalid-state", f"A vacancy that is {posting.state} cannot become {state}.")
    return _changed(replace(posting, state=state, version=posting.version + 1, changed_at=at))


def published(posting: Posting) -> VacancyPublished:
    """Return what everyone may see: the content of an open vacancy, of others the state alone."""
    shown = posting.vacancy if posting.state is VacancyStatus.OPEN else None
    return VacancyPublished(vacancy_id=posting.vacancy_id, version=posting.version, status=posting.state, vacancy=shown)


def wanted(posting: Posting) -> Wanted:
    """Return what the pools are asked for: nothing of the employer.

    Raises:
        ConflictError: the vacancy is not open.
    """
    if posting.state is not VacancyStatus.OPEN:
        raise ConflictError("invalid-state", f"The vacancy is {posting.state}.")
    vacancy = posting.vacancy
    return Wanted(
        occupation=vacancy.occupation,
        skills=vacancy.skills,
        languages=vacancy.languages,
        municipality=vacancy.municipality,
        starts_on=vacancy.starts_on,
    )


def _changed(posting: Posting) -> Change:
    return Change(posting, () if posting.state is VacancyStatus.DRAFT else (published(posting),))


def _check(vacancy: Vacancy) -> None:
    business_id = vacancy.employer.business_id
    if not is_business_id(business_id):
        pointer = "/vacancy/employer/business_id"
        raise RefusedError(pointer, "wrong-business-id", "The business id (Y-tunnus) is not valid.")
