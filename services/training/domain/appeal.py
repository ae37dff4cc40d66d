"""The appeal instruction of a selection decision: dated text in the service languages, with its source."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from shared.errors import UnknownError
from shared.events.v1.training import Language


@dataclass(frozen=True, slots=True)
class AppealInstruction:
    """An appeal instruction during a time."""

    lang: Language
    text: str
    valid_from: date
    valid_to: date | None
    to_be_checked: bool


def read_instructions(lines: Iterable[str]) -> tuple[AppealInstruction, ...]:
    """Read the table of appeal instructions from CSV."""
    return tuple(
        AppealInstruction(
            lang=row["lang"],  # type: ignore[arg-type]
            text=row["text"],
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            to_be_checked=row["certainty"] != "read",
        )
        for row in csv.DictReader(lines)
    )


def instruction_on(instructions: Iterable[AppealInstruction], lang: Language, day: date) -> AppealInstruction:
    """Return the instruction in force on the day of a decision.

    Raises:
        UnknownError: none was in force: a decision without one is not given.
    """
    for instruction in instructions:
        in_force = instruction.valid_from <= day and (instruction.valid_to is None or day <= instruction.valid_to)
        if instruction.lang == lang and in_force:
            return instruction
    raise UnknownError("appeal instruction")
