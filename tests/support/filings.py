"""Filings of invented employers."""

from datetime import UTC, date, datetime
from typing import Any

from shared.events.v1.change_security import Filing

GOOD_BUSINESS_ID = "2077474-0"
BAD_BUSINESS_ID = "2077474-1"
TEST_IDENTITY_CODE = "131052-308T"
"""From the published description of the code; nobody's."""

ARRIVED = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def proposal_json(**changes: Any) -> dict[str, Any]:
    """A negotiation proposal of an employer in Helsinki with sites in Vantaa and Kauniainen, as JSON."""
    return {
        "kind": "negotiation_proposal",
        "legal_basis": "YTL_1333_2021",
        "employer": {
            "business_id": GOOD_BUSINESS_ID,
            "name": "Esimerkkitehdas Oy",
            "domicile": "091",
            "regular_staff": 420,
        },
        "language": "fi",
        "negotiations": {
            "starts_at": "2026-11-30T09:00:00+02:00",
            "place": "Helsinki",
            "matters": "Tuotannon uudelleenjärjestely",
            "grounds": "Tilauskannan lasku",
            "selection_principles": "Osaaminen ja tehtävät",
            "carried_out_within": "Maaliskuun loppuun mennessä",
            "personnel_informed_on": "2026-11-24",
        },
        "measures": [
            {"measure": "termination", "personnel_group": "työntekijät", "count": 48},
            {"measure": "termination", "personnel_group": "toimihenkilöt", "count": 16},
        ],
        "site_breakdown": "given",
        "sites": [
            {"municipality": "092", "name": "Vantaan tehdas", "affected": 50},
            {"municipality": "235", "name": "Kauniaisten toimisto", "affected": 14},
        ],
    } | changes


def proposal(**changes: Any) -> Filing:
    """The same as a filing."""
    return Filing.model_validate(proposal_json(**changes))


def termination_notice(*counts: int, **changes: Any) -> Filing:
    """A notice of terminations with these counts, in Vantaa."""
    return Filing.model_validate(
        {
            "kind": "termination_notice",
            "legal_basis": "TSL_55_2001_9_3a",
            "employer": {"business_id": GOOD_BUSINESS_ID, "name": "Esimerkkitehdas Oy", "domicile": "092"},
            "terminations": [
                {
                    "count": count,
                    "occupation": {"scheme": "ISCO-08", "code": f"821{place}"},
                    "municipality": "092",
                    "ends_from": date(2027, 1, 31),
                }
                for place, count in enumerate(counts)
            ],
        }
        | changes
    )
