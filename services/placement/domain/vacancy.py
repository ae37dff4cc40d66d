"""The course of a vacancy: reported, revised, paused, filled, expired, withdrawn; and what everyone may see of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from stdnum.fi import ytunnus

from shared.events.v1.placement import Vacancy, VacancyPublished, VacancyStatus, Wanted

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


class ConflictError(Exception):
    """The change does not fit the vacancy as it stands; nothing was changed."""

    def __init__(self, code: Literal["stale_predecessor", "wrong_status"], text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Posting:
    """A vacancy with its status. `version` grows with every change; `revision` numbers what the employer reported."""

    vacancy_id: UUID
    status: VacancyStatus
    version: int
    revision: int
    vacancy: Vacancy
    filed_by: str
    changed_at: datetime


def has_business_id(vacancy: Vacancy) -> bool:
    """Whether the employer's business id (Y-tunnus) holds."""
    business_id = vacancy.employer.business_id
    return business_id[7:8] == "-" and ytunnus.is_valid(business_id)


def report(vacancy_id: UUID, vacancy: Vacancy, status: VacancyStatus, filed_by: str, at: datetime) -> Posting:
    """Open a posting."""
    return Posting(vacancy_id, status, 1, 1, vacancy, filed_by, at)


def revise(posting: Posting, vacancy: Vacancy, predecessor: int, at: datetime) -> Posting:
    """Put a new revision in force.

    Raises:
        ConflictError: it does not follow the newest one, or the vacancy has ended.
    """
    if predecessor != posting.revision:
        raise ConflictError("stale_predecessor", f"The newest revision is {posting.revision}.")
    if posting.status not in _NEXT:
        raise ConflictError("wrong_status", f"The vacancy is {posting.status}.")
    return replace(posting, version=posting.version + 1, revision=posting.revision + 1, vacancy=vacancy, changed_at=at)


def move(posting: Posting, status: VacancyStatus, at: datetime) -> Posting:
    """Change the status. The same status again changes nothing.

    Raises:
        ConflictError: the status does not follow from the present one.
    """
    if status is posting.status:
        return posting
    if status not in _NEXT.get(posting.status, ()):
        raise ConflictError("wrong_status", f"A vacancy that is {posting.status} cannot become {status}.")
    return replace(posting, status=status, version=posting.version + 1, changed_at=at)


def published(posting: Posting) -> VacancyPublished:
    """Return what everyone may see: the content of an open vacancy, of others the status alone."""
    shown = posting.vacancy if posting.status is VacancyStatus.OPEN else None
    return VacancyPublished(
        vacancy_id=posting.vacancy_id, version=posting.version, status=posting.status, vacancy=shown
    )


def wanted(vacancy: Vacancy) -> Wanted:
    """Return what the pools are asked for: nothing of the employer."""
    return Wanted(
        occupation=vacancy.occupation,
        skills=vacancy.skills,
        languages=vacancy.languages,
        municipality=vacancy.municipality,
        starts_on=vacancy.starts_on,
    )
