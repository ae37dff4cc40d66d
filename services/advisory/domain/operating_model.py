"""The operating model (toimintamalli): how the cities work together, in the three service languages."""

from pydantic import Field

from shared.events.envelope import Part


class ModelText(Part):
    """The operating model in one language."""

    title: str = Field(min_length=3, max_length=200)
    body: str = Field(min_length=3, max_length=50_000, description="Write no personal data.")


class ModelTexts(Part):
    """The operating model in the three service languages: none may lack."""

    fi: ModelText
    sv: ModelText
    en: ModelText
