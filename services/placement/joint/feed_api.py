"""The public feed: open vacancies, and what changes. Anyone reads it, without a token.

The content of a stopped advertisement is shown to its reporter and to officers alone.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import AwareDatetime

from services.placement.domain.vacancy import Filter
from services.placement.joint import models
from services.placement.joint.store import Vacancies
from shared.errors import UnknownError
from shared.events.v1.placement import VacancyState
from shared.http.auth import Reader
from shared.http.reading import Cursor, Limit, Page, read_cursor, read_single_cursor, tagged, write_cursor
from shared.http.transactions import IdempotentRoute, ReadTx

router = APIRouter(prefix="/v1", route_class=IdempotentRoute, tags=["feed"])

Occupation = Annotated[str | None, Query(pattern=r"^\d{1,4}$", description="ISCO-08, or a beginning of it.")]
Municipality = Annotated[str | None, Query(pattern=r"^\d{3}$")]

_LAST_ID: Final = UUID(int=2**128 - 1)
_MAX_PLACE: Final = 2**63
_NDJSON: Final = "application/x-ndjson"


def wanted(
    municipality: Municipality = None,
    occupation: Occupation = None,
    language: Annotated[Literal["fi", "sv", "en"] | None, Query(description="Of the advertisement.")] = None,
) -> Filter:
    """Return what the caller asks for."""
    return Filter(municipality, occupation, language)


Wanted = Annotated[Filter, Depends(wanted)]


@router.get("/vacancies", response_model=models.Feed)
async def snapshot(request: Request, tx: ReadTx, wanted: Wanted, limit: Limit = 100, cursor: Cursor = None) -> Response:
    """Read the open vacancies page by page; then follow the change stream from `changes` of the first page."""
    after = read_single_cursor(cursor, UUID)
    place = await Vacancies(tx).newest_change()
    postings = await Vacancies(tx).shown(wanted, after, limit)
    page = Page.of(postings, limit, lambda posting: (posting.vacancy_id,), models.VacancyOut.of)
    changes_after = write_cursor(place, _LAST_ID) if after is None else None
    return tagged(request, models.Feed(items=page.items, next=page.next, changes=changes_after))


@router.get("/vacancies/changes", response_model=models.Feed)
async def changes(
    request: Request,
    tx: ReadTx,
    wanted: Wanted,
    cursor: Cursor = None,
    limit: Limit = 100,
    changed_from: Annotated[AwareDatetime | None, Query(description="The first instant of the time window.")] = None,
    changed_before: Annotated[AwareDatetime | None, Query(description="The window's end; not in it.")] = None,
    accept: Annotated[str, Header(description=f"`{_NDJSON}`: one item a line, `next` in the Link header.")] = "",
) -> Response:
    """Read what changed after a cursor, oldest change first. A stopped advertisement says why and since when.

    With a filter it says so too of an advertisement that fitted and fits no more. `304` means that nothing has changed
    after the cursor, for a caller who sends the entity tag of the page that gave it.
    """
    place, last = read_cursor(cursor, _place, UUID) or (0, UUID(int=0))
    changed = await Vacancies(tx).changes(place, last, limit, wanted, changed_from, changed_before)
    if changed:
        place, last = changed[-1].place, changed[-1].posting.vacancy_id
    following = write_cursor(place, last)
    headers = {"ETag": _tag(following), "Cache-Control": "private, no-cache", "Vary": "Accept"}
    if not changed and _tag(following) in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    items = [models.VacancyOut.of(posting, fits=wanted.fits(posting)) for posting, _place in changed]
    if _NDJSON in accept:
        link = f'<?{request.url.include_query_params(cursor=following).query}>; rel="next"'
        return Response(_lines(items), media_type=_NDJSON, headers=headers | {"Link": link})
    page = models.Feed(items=items, next=following)
    return Response(page.model_dump_json(), media_type="application/json", headers=headers)


@router.get("/vacancies/{vacancy_id}", response_model=models.VacancyOut)
async def read_vacancy(request: Request, who: Reader, vacancy_id: UUID, tx: ReadTx) -> Response:
    """Read a vacancy; the content of a stopped one is shown to its reporter and to officers."""
    posting = await Vacancies(tx).read(vacancy_id)
    whole = posting is not None and models.sees_all(who, posting)
    if posting is None or (posting.state is VacancyState.DRAFT and not whole):
        raise UnknownError("vacancy")
    return tagged(request, models.VacancyOut.of(posting, whole=whole))


def _lines(items: Sequence[models.VacancyOut]) -> bytes:
    return b"".join(json.dumps(item.model_dump(mode="json"), ensure_ascii=False).encode() + b"\n" for item in items)


def _tag(cursor: str) -> str:
    return f'"{hashlib.sha256(cursor.encode()).hexdigest()[:32]}"'


def _place(value: str) -> int:
    place = int(value)
    if not 0 <= place < _MAX_PLACE:
        raise ValueError
    return place
