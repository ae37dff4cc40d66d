"""Editions of the agreement, for tests."""

from datetime import date
from typing import Any
from uuid import UUID

from services.advisory import data
from shared.events.v1.agreement import AgreementPublished, DecisionRef, Delegation, Figure, FigureName, Group


def with_figures(edition: int, *figures: Figure, delegations: tuple[Delegation, ...] = ()) -> AgreementPublished:
    """Return an edition: the agreement as signed, without the shipped figures, and these."""
    return AgreementPublished(
        edition=edition, versions=(data.first_agreement().version,), figures=figures, delegations=delegations
    )


def decided(name: FigureName, valid_from: date, reference: str = "1/2027", **values: Any) -> Figure:
    """Return a figure that was decided."""
    ref = DecisionRef(decision_id=UUID(int=7), group=Group.MANAGEMENT, reference=reference, decided_on=valid_from)
    return Figure(
        name=name, unit="unit", valid_from=valid_from, source="decided", certainty="verified", decision=ref, **values
    )


def quota_figure(percents: dict[str, float], valid_from: date, reference: str = "1/2027") -> Figure:
    """Return quotas that were decided."""
    return decided(FigureName.SEAT_QUOTAS, valid_from, reference, by_authority=percents)
