"""Vacancies that a city takes in itself, and its own pool's candidates for them, also while the joint office is down.

The joint office registers them as soon as it can, and asks the other pools; from then on they are changed there.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from services.placement.authority import models
from services.placement.authority.store import OwnVacancies, Pool
from services.placement.authority.tables import OwnAssignmentRow
from services.placement.authority.vacancy_commands import CityVacancies
from shared.errors import UnknownError
from shared.http.auth import OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.messaging.transaction import Transaction

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["own vacancies"])
TheVacancies = Annotated[CityVacancies, Depends(part(CityVacancies))]


@router.post("/vacancies", status_code=status.HTTP_201_CREATED)
async def take(
    who: OwnOfficer, body: models.OwnVacancyIn, vacancies: TheVacancies, tx: WriteTx, response: Response
) -> models.OwnVacancyOut:
    """Take in a vacancy. The joint office registers and advertises it as soon as it can."""
    row = await vacancies.take(tx, body.vacancy, who.actor)
    response.headers["Location"] = f"/v1/vacancies/{row.vacancy_id}"
    return models.OwnVacancyOut.model_validate(row)


@router.get("/vacancies")
async def list_vacancies(
    _: OwnOfficer,
    tx: ReadTx,
    registered: Annotated[bool | None, Query(description="Whether the joint office has it.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[models.OwnVacancyOut]:
    """List vacancies that the city took in, the newest first."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await OwnVacancies(tx).page(after, limit, registered=registered)
    return Page.of(
        rows,
        limit,
        lambda row: (row.taken_at.isoformat(), row.vacancy_id),
        models.OwnVacancyOut.model_validate,
    )


@router.get("/vacancies/{vacancy_id}", response_model=models.OwnVacancyOut)
async def read_vacancy(request: Request, _: OwnOfficer, vacancy_id: UUID, tx: ReadTx) -> Response:
    """Read a vacancy that the city took in."""
    row = await OwnVacancies(tx).read(vacancy_id)
    if row is None:
        raise UnknownError("vacancy")
    return tagged(request, models.OwnVacancyOut.model_validate(row))


@router.post("/vacancies/{vacancy_id}/assignments", status_code=status.HTTP_201_CREATED)
async def ask(
    who: OwnOfficer,
    vacancy_id: UUID,
    body: models.OwnAssignmentIn,
    vacancies: TheVacancies,
    tx: WriteTx,
    response: Response,
) -> models.OwnAssignmentOut:
    """Ask the own pool for candidates. The joint office asks the other pools as soon as it can."""
    row = await vacancies.ask(tx, vacancy_id, body.at_most, who.actor)
    response.headers["Location"] = f"/v1/vacancies/{vacancy_id}/assignments"
    (shown,) = await _assignments(tx, [row])
    return shown


@router.get("/vacancies/{vacancy_id}/assignments")
async def list_assignments(
    _: OwnOfficer, vacancy_id: UUID, tx: ReadTx, limit: Limit = 20, cursor: Cursor = None
) -> Page[models.OwnAssignmentOut]:
    """List what the own pool answered for a vacancy. The whole answers stand at the joint office, by the same id."""
    rows = await OwnVacancies(tx).assignments(vacancy_id, read_single_cursor(cursor, UUID), limit)
    shown = {one.assignment_id: one for one in await _assignments(tx, rows)}
    return Page.of(rows, limit, lambda row: (row.assignment_id,), lambda row: shown[row.assignment_id])


async def _assignments(tx: Transaction, rows: Sequence[OwnAssignmentRow]) -> list[models.OwnAssignmentOut]:
    ids = await Pool(tx).ids(candidate.reference for row in rows for candidate in row.candidates)
    return [
        models.OwnAssignmentOut(
            **row.model_dump(exclude={"candidates"}),
            candidates=[
                models.OwnCandidateOut(jobseeker_id=ids.get(candidate.reference), **dict(candidate))
                for candidate in row.candidates
            ],
        )
        for row in rows
    ]
