"""A city's own pool: its officers list and read it, write profiles, and resolve references. No other city may.

Lists and profiles show no name and no contact; those are given by a query with a purpose, which is logged.
"""

from datetime import date
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status

from services.placement.authority import models
from services.placement.authority.commands import CityPool
from services.placement.authority.store import OwnReferrals, Pool
from services.placement.authority.tables import JobseekerRow
from services.placement.domain.pool import Jobseeker, PoolFilter
from shared.errors import UnknownError
from shared.http.auth import OwnOfficer, part
from shared.http.reading import Cursor, Limit, Page, read_single_cursor, tagged
from shared.http.transactions import IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer
from shared.messaging.transaction import Database

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["pool"])
ThePool = Annotated[CityPool, Depends(part(CityPool))]
TheDatabase = Annotated[Database, Depends(part(Database))]
JobseekerId = Annotated[str, Path(min_length=1, max_length=100)]
Reference = Annotated[str, Path(min_length=1, max_length=60)]


def wanted(
    occupation: Annotated[str | None, Query(pattern=r"^\d{2,4}$", description="ISCO-08, or a beginning of it.")] = None,
    language: Annotated[str | None, Query(pattern=r"^[a-z]{2}$")] = None,
    municipality: Annotated[str | None, Query(pattern=r"^\d{3}$", description="Of residence.")] = None,
    available_by: date | None = None,
    active: Annotated[bool | None, Query(description="Whether the pool answers with them.")] = None,
) -> PoolFilter:
    """Return which jobseekers the caller asks for."""
    return PoolFilter(occupation, language, municipality, available_by, active)


@router.get("/jobseekers")
async def list_jobseekers(
    _: OwnOfficer,
    wanted: Annotated[PoolFilter, Depends(wanted)],
    tx: ReadTx,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[models.JobseekerOut]:
    """List the own pool, without names, by the city's own id."""
    rows = await Pool(tx).page(wanted, read_single_cursor(cursor, str), limit)
    return Page.of(rows, limit, lambda row: (row.jobseeker_id,), models.JobseekerOut.model_validate)


@router.get("/jobseekers/{jobseeker_id}", response_model=models.JobseekerOut)
async def read_jobseeker(request: Request, _: OwnOfficer, jobseeker_id: JobseekerId, tx: ReadTx) -> Response:
    """Read one profile, without the name."""
    row = await Pool(tx).read(jobseeker_id)
    if row is None:
        raise UnknownError("jobseeker")
    return tagged(request, models.JobseekerOut.model_validate(row))


@router.put("/jobseekers/{jobseeker_id}")
async def put(
    _: OwnOfficer, jobseeker_id: JobseekerId, body: models.ProfileIn, pool: ThePool, tx: WriteTx
) -> models.JobseekerOut:
    """Write a profile, new or changed. Who has left the pool stays outside until an officer says otherwise."""
    await pool.put(tx, Jobseeker(jobseeker_id=jobseeker_id, **dict(body)))
    return models.JobseekerOut.model_validate(await Pool(tx).read(jobseeker_id))


@router.delete("/jobseekers/{jobseeker_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove(who: OwnOfficer, jobseeker_id: JobseekerId, pool: ThePool, tx: WriteTx) -> None:
    """Remove a profile. The jobseeker's consents and open offers end with it."""
    await pool.remove(tx, jobseeker_id, who.actor)


@router.post(
    "/jobseekers/{jobseeker_id}/contact-queries",
    status_code=status.HTTP_201_CREATED,
)
async def ask_own_contact(
    who: OwnOfficer,
    jobseeker_id: JobseekerId,
    body: models.ContactQueryIn,
    pool: ThePool,
    database: TheDatabase,
    response: Response,
) -> models.ResolvedOut:
    """Ask for an own jobseeker's name and contact, with a purpose. Logged. An Idempotency-Key has no effect here."""
    answer = await _resolve(pool, database, pool.reference(jobseeker_id), who, body.purpose)
    response.headers["Location"] = f"/v1/jobseekers/{jobseeker_id}/contact-queries"
    return answer


@router.get("/jobseekers/{jobseeker_id}/contact-queries")
async def list_own_queries(
    _: OwnOfficer, jobseeker_id: JobseekerId, pool: ThePool, tx: ReadTx, limit: Limit = 50, cursor: Cursor = None
) -> Page[models.ContactQueryOut]:
    """List who asked for a jobseeker's contact, by a referral or in the own city, and why, the oldest first."""
    after = read_single_cursor(cursor, models.serial)
    rows = await OwnReferrals(tx).queries(reference=pool.reference(jobseeker_id), after=after, limit=limit)
    return Page.of(rows, limit, lambda row: (row.query_id,), models.ContactQueryOut.model_validate)


@router.post(
    "/references/{reference}/resolutions",
    status_code=status.HTTP_201_CREATED,
)
async def resolve_reference(
    who: OwnOfficer, reference: Reference, body: models.ContactQueryIn, pool: ThePool, database: TheDatabase
) -> models.ResolvedOut:
    """Resolve the reference in a candidate, a referral or a training invitation to the own jobseeker. Logged.

    An Idempotency-Key has no effect here.
    """
    return await _resolve(pool, database, reference, who, body.purpose)


@router.get("/assignments/{assignment_id}/why/{jobseeker_id}", response_model=models.WhyOut)
async def explain(
    request: Request, _: OwnOfficer, assignment_id: UUID, jobseeker_id: JobseekerId, pool: ThePool, tx: ReadTx
) -> Response:
    """Explain why one of the own jobseekers is, or is not, among an assignment's candidates, as the pool is now."""
    match, verdict = await pool.explain(tx, assignment_id, jobseeker_id)
    return tagged(request, models.WhyOut(verdict=verdict, score=match.score, reasons=list(match.reasons)))


async def _resolve(
    pool: CityPool, database: Database, reference: str, who: Officer, purpose: str
) -> models.ResolvedOut:
    async with database.transaction(uuid4()) as tx:
        jobseeker: JobseekerRow | None = await pool.resolve(tx, reference, who, purpose)
    # Committed: that nobody was found is in the log too.
    if jobseeker is None:
        raise UnknownError("jobseeker")
    return models.ResolvedOut.model_validate(jobseeker)
