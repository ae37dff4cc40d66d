"""What requests to both sides have in common: a field that is not known is refused, never ignored."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, WrapValidator

from shared.events.v1.placement import Vacancy


def _without_unknown_fields(given: Any, _: Any) -> Vacancy:
    """Events let unknown fields pass, for newer writers; a caller who mistypes a field must learn it."""
    return Vacancy.model_validate(given, extra="forbid")


ReportedVacancy = Annotated[Vacancy, WrapValidator(_without_unknown_fields)]


class Input(BaseModel):
    """What a request says. A field that is not known is refused, never ignored."""

    model_config = ConfigDict(extra="forbid")
