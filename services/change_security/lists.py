"""The lists of notices and of cases: what they can be filtered by, and their form as JSON or CSV."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel

from services.change_security.domain.summary import search_key
from shared.calendar import start_of
from shared.events.v1.change_security import FilingKind, Measure
from shared.events.values import BusinessId, Day
from shared.http.csv import as_csv
from shared.http.reading import Page, tagged, tagged_body

CSV_ROWS: Final = 10_000
"""A CSV answer holds at most so many; its `Link` header leads to the next ones."""

_TEXT: Final = r"^[^\x00]*$"
Line = TypeVar("Line", bound=BaseModel)


@dataclass(frozen=True)
class Filters:
    """What both lists are filtered by. Days are local calendar days, the last one included."""

    business_id: Annotated[BusinessId | None, Query(max_length=20, pattern=_TEXT)] = None
    employer: Annotated[
        str | None, Query(max_length=200, pattern=_TEXT, description="How the name begins, whatever its case.")
    ] = None
    filer_reference: Annotated[str | None, Query(max_length=100, pattern=_TEXT)] = None
    kind: FilingKind | None = None
    municipality: Annotated[
        str | None,
        Query(pattern=r"^[0-9]{3}$", description="That the filing names: domicile, workplace or residence."),
    ] = None
    measure: Measure | None = None
    arrived_from: Day | None = None
    arrived_until: Day | None = None
    registered_from: Day | None = None
    registered_until: Day | None = None
    late: Annotated[bool | None, Query(description="Whether a receipt is overdue.")] = None
    declined: Annotated[bool | None, Query(description="Whether an authority says that it is not its own.")] = None
    acknowledged: bool | None = None
    mine: Annotated[bool | None, Query(description="Whether it is the caller's own work.")] = None


TheFilters = Annotated[Filters, Depends()]


def conditions(filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """Return the SQL conditions that both tables share, with their values; the columns have the same names."""
    wanted: dict[str, tuple[str, object]] = {
        "business_id": ("business_id = :business_id", filters.business_id),
        "employer": ("employer_key LIKE :employer", _beginning(filters.employer)),
        "filer_reference": ("filer_reference = :filer_reference", filters.filer_reference),
        "filed_kind": ("kind = :filed_kind", filters.kind),
        "municipality": ("municipalities @> to_jsonb(CAST(:municipality AS text))", filters.municipality),
        "measure": ("measures @> to_jsonb(CAST(:measure AS text))", filters.measure),
        "arrived_from": ("arrived_at >= :arrived_from", _start(filters.arrived_from)),
        "arrived_until": ("arrived_at < :arrived_until", _end(filters.arrived_until)),
        "registered_from": ("registered_at >= :registered_from", _start(filters.registered_from)),
        "registered_until": ("registered_at < :registered_until", _end(filters.registered_until)),
    }
    given = {name: pair for name, pair in wanted.items() if pair[1] is not None}
    return [sql for sql, _ in given.values()], {name: value for name, (_, value) in given.items()}


def _beginning(name: str | None) -> str | None:
    if name is None:
        return None
    key = search_key(name)
    for sign in ("\\", "%", "_"):
        key = key.replace(sign, f"\\{sign}")
    return f"{key}%"


def _start(day: Day | None) -> object:
    return start_of(day) if day else None


def _end(day: Day | None) -> object:
    return start_of(day + timedelta(days=1)) if day else None


def _is_csv(
    request: Request,
    form: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Like the header `Accept`: the form.")
    ] = None,
) -> bool:
    accepted = request.headers.get("accept", "")
    return form == "csv" or (form is None and "text/csv" in accepted and "application/json" not in accepted)


IsCsv = Annotated[bool, Depends(_is_csv)]


def listed(request: Request, page: Page[Line], line: type[Line], *, is_csv: bool) -> Response:
    """Answer with a page of a list, with its entity tag. As CSV the cursor of the next page is in the `Link` header."""
    if not is_csv:
        answer = tagged(request, page)
    else:
        columns = list(line.model_fields)
        values = (one.model_dump(mode="json") for one in page.items)
        body = as_csv(columns, ([value[name] for name in columns] for value in values))
        answer = tagged_body(request, body, "text/csv")
        answer.headers["Content-Disposition"] = 'attachment; filename="list.csv"'
        if page.next is not None:
            following = request.url.include_query_params(cursor=page.next)
            answer.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    answer.headers["Vary"] = "Accept"
    return answer
