"""What the lists say of a filing, and what they are searched by. It is kept beside it: no list reads filings."""

from dataclasses import dataclass
from datetime import date, datetime

from services.change_security.domain.filing import given_day
from services.change_security.domain.reductions import affected, terminations
from shared.events.v1.change_security import Filing, FilingKind, Measure


@dataclass(frozen=True, slots=True)
class Summary:
    """One filing in a list.

    Attributes:
        employer_key: the name as it is searched, whatever its case.
        municipalities: all that the filing names: of the domicile, the workplaces and the residences.
        affected, terminations: employees, or at least so many.
        counts_complete: whether no number is missing.
        rules_of: the day whose rules apply.
    """

    kind: FilingKind
    business_id: str
    employer: str | None
    employer_key: str | None
    not_public: bool
    municipalities: tuple[str, ...]
    measures: tuple[Measure, ...]
    affected: int
    terminations: int
    counts_complete: bool
    rules_of: date


def summary(filing: Filing, arrived_at: datetime) -> Summary:
    """Return what the lists say of a filing that arrived then."""
    concerned, dismissed = affected(filing), terminations(filing)
    is_notice = filing.kind is FilingKind.TERMINATION_NOTICE
    measures = (Measure.TERMINATION,) if is_notice else (part.measure for part in filing.measures)
    named = (
        filing.employer.domicile,
        *(site.municipality for site in filing.sites),
        *(part.municipality for part in filing.terminations),
        *(residence.municipality for residence in filing.residences),
    )
    return Summary(
        kind=filing.kind,
        business_id=filing.employer.business_id,
        employer=filing.employer.name,
        employer_key=search_key(filing.employer.name) if filing.employer.name else None,
        not_public=filing.not_public,
        municipalities=tuple(dict.fromkeys(code for code in named if code)),
        measures=tuple(dict.fromkeys(measures)),
        affected=concerned.at_least,
        terminations=dismissed.at_least,
        counts_complete=not concerned.missing and not dismissed.missing,
        rules_of=given_day(filing, arrived_at)[0],
    )


def search_key(name: str) -> str:
    """Return an employer's name as it is searched: in one case, with single spaces."""
    return " ".join(name.split()).casefold()
