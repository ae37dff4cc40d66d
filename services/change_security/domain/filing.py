"""What makes a filing, what it lacks, and what is refused.

A filing is never refused for a missing field (Co-operation Act 1333/2021: in writing, free form). It is accepted,
what is missing is listed, and completion is asked for. Refused are only: what is not a filing at all, a wrong
business id, and a personal identity code anywhere in it.
"""

from datetime import date, datetime
from typing import Literal

from shared.calendar import local_day
from shared.errors import RefusedError
from shared.events.v1.change_security import Filing, FilingKind, Negotiations
from shared.events.values import is_business_id
from shared.kept import kept_for_same

ChosenBy = Literal["given_on", "personnel_informed_on", "arrived_at"]
"""What told the day that chooses the rules."""


def has_business_id(filing: Filing) -> bool:
    """Whether the employer's business id (Y-tunnus) is valid. Its normal form is made when the filing is read."""
    return is_business_id(filing.employer.business_id)


def check(filing: Filing) -> None:
    """Refuse what is not a filing of an employer.

    Raises:
        RefusedError: the business id is wrong.
    """
    if not has_business_id(filing):
        raise RefusedError(
            "/filing/employer/business_id", "wrong-business-id", "The business id (Y-tunnus) is not valid."
        )


@kept_for_same
def missing(filing: Filing) -> tuple[str, ...]:
    """Return JSON pointers of what the law asks for and the filing does not tell, in the order of the form.

    Source: Co-operation Act 1333/2021 (negotiation proposal); Employment Contracts Act 55/2001 chapter 9 section 3 a
    (notice of terminations). No breakdown by site is required, so sites are never missing.
    """
    absent = [pointer for pointer, value in _asked(filing) if value in (None, "", ())]
    return tuple(dict.fromkeys(absent))


def _asked(filing: Filing) -> list[tuple[str, object]]:
    employer = filing.employer
    asked: list[tuple[str, object]] = [
        ("/legal_basis", filing.legal_basis),
        ("/employer/name", employer.name),
        ("/employer/domicile", employer.domicile),
    ]
    if filing.kind is FilingKind.TERMINATION_NOTICE:
        asked.append(("/terminations", filing.terminations))
        for place, termination in enumerate(filing.terminations):
            at = f"/terminations/{place}"
            asked += [
                (f"{at}/count", termination.count),
                (f"{at}/occupation", termination.occupation or termination.duties),
                (f"{at}/ends_from", termination.ends_from or termination.ends_until),
            ]
        return asked
    negotiations = filing.negotiations
    asked += [
        ("/employer/regular_staff", employer.regular_staff),
        *(
            (f"/negotiations/{name}", getattr(negotiations, name, None))
            for name in (
                "starts_at",
                "place",
                "matters",
                "grounds",
                "selection_principles",
                "carried_out_within",
            )
        ),
        ("/negotiations/personnel_informed_on", informed_on(negotiations) if negotiations else None),
        ("/measures", filing.measures),
    ]
    for place, planned in enumerate(filing.measures):
        asked += [
            (f"/measures/{place}/personnel_group", planned.personnel_group),
            (f"/measures/{place}/count", planned.count),
        ]
    return asked


def informed_on(negotiations: Negotiations) -> date | None:
    """Return the day on which the personnel was informed: at latest when the proposal was given to it."""
    return negotiations.personnel_informed_on or negotiations.given_on


def given_day(filing: Filing, arrived_at: datetime) -> tuple[date, ChosenBy]:
    """Return the local day whose rules a filing follows, and what told that day.

    A proposal follows the rules of the day on which it was given to the personnel; where that is not told, of the day
    on which the personnel was informed; else of its arrival at an authority. A notice of terminations: of its arrival.
    """
    negotiations = filing.negotiations
    if filing.kind is FilingKind.NEGOTIATION_PROPOSAL and negotiations is not None:
        if negotiations.given_on is not None:
            return negotiations.given_on, "given_on"
        if negotiations.personnel_informed_on is not None:
            return negotiations.personnel_informed_on, "personnel_informed_on"
    return local_day(arrived_at), "arrived_at"


def masked(filing: Filing) -> Filing:
    """Return the filing as an authority may see it that does not handle it: counts of 1–4 can identify a person.

    The employer's mailbox is for those alone who write to it.
    """

    def hide(count: int | None) -> int | None:
        return None if count is not None and 1 <= count <= 4 else count  # noqa: PLR2004 - the rule itself

    return filing.model_copy(
        update={
            "employer": filing.employer.model_copy(update={"email": None}),
            "measures": tuple(part.model_copy(update={"count": hide(part.count)}) for part in filing.measures),
            "terminations": tuple(part.model_copy(update={"count": hide(part.count)}) for part in filing.terminations),
            "sites": tuple(part.model_copy(update={"affected": hide(part.affected)}) for part in filing.sites),
            "residences": tuple(part.model_copy(update={"count": hide(part.count)}) for part in filing.residences),
        }
    )
