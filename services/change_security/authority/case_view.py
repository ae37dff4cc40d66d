"""A case with all that belongs to it, as commands give it and the API shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.change_security.authority.tables import CaseRow, CaseStepRow
from services.change_security.domain.case import Checklist
from services.change_security.domain.rules import Assessment
from shared.events.v1.change_security import Filing


@dataclass(frozen=True)
class CaseView:
    """A case as its officers see it: with what the rules say, and the work done on it.

    Attributes:
        filing: the newest revision; masked when the case is released, since it is no longer this authority's to handle.
    """

    row: CaseRow
    filing: Filing | None
    assessment: Assessment | None
    steps: Mapping[str, CaseStepRow]
    checklists: tuple[Checklist, ...]
