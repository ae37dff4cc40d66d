"""Filings of invented employers."""

from datetime import UTC, date, datetime
from typing import Any

from stdnum.fi import ytunnus

from deploy.local.sample_data import BUSINESS_ID, proposal_json
from shared.events.v1.change_security import Filing

BAD_BUSINESS_ID = "2077474-1"
TEST_IDENTITY_CODE = "131052-308T"
"""From the published description of the code; nobody's."""

ARRIVED = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)


def invented_business_id(number: int) -> str:
    """A valid business id for a test's own employer, the same for the same number."""
    while True:
        digits = f"{number % 10_000_000:07d}"
        for check in "0123456789":
            if ytunnus.is_valid(digits + check):
                return f"{digits}-{check}"
        number += 1  # no check digit fits


def proposal(**changes: Any) -> Filing:
    """The sample negotiation proposal, as a filing."""
    return Filing.model_validate(proposal_json(**changes))


def termination_notice(*counts: int, **changes: Any) -> Filing:
    """A notice of terminations with these counts, in Vantaa."""
    return Filing.model_validate(
        {
            "kind": "termination_notice",
            "legal_basis": "TSL_55_2001_9_3a",
            "employer": {"business_id": BUSINESS_ID, "name": "Esimerkkitehdas Oy", "domicile": "092"},
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
