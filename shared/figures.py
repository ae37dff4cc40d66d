"""The agreement's figures as they are in force on a day: what every service decides by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from shared.events.v1.advisory import Task
from shared.events.v1.agreement import (
    AgreementPublished,
    AgreementVersion,
    Delegation,
    Figure,
    FigureName,
)


class _Dated(Protocol):
    @property
    def valid_from(self) -> date:
        """From which day it is in force."""


Dated = TypeVar("Dated", bound=_Dated)


def newest(entries: Iterable[Dated], day: date) -> Dated | None:
    """Return what is in force on a day: of those that began, the latest; of one day, the one decided last."""
    begun = [entry for entry in reversed(list(entries)) if entry.valid_from <= day]
    return max(begun, key=lambda entry: entry.valid_from, default=None)


@dataclass(frozen=True)
class InForce:
    """The agreement on one day."""

    published: AgreementPublished | None
    day: date

    def figure(self, name: FigureName, scope: str | None = None) -> Figure | None:
        """Return a figure; None when none is in force."""
        every = self.published.figures if self.published else ()
        found = newest((each for each in every if (each.name, each.scope) == (name, scope)), self.day)
        return None if found is None or (found.value is None and found.by_authority is None) else found

    @property
    def figures(self) -> list[Figure]:
        """Every figure in force, those with a name that this version does not know among them."""
        every = self.published.figures if self.published else ()
        keys = dict.fromkeys((each.name, each.scope) for each in every)
        found = (newest((each for each in every if (each.name, each.scope) == key), self.day) for key in keys)
        return [each for each in found if each and (each.value is not None or each.by_authority is not None)]

    @property
    def delegations(self) -> list[Delegation]:
        """Every standing delegation in force."""
        every = self.published.delegations if self.published else ()
        keys = dict.fromkeys(key_of(each) for each in every)
        found = (newest((each for each in every if key_of(each) == key), self.day) for key in keys)
        return [each for each in found if each is not None and each.in_force]

    @property
    def version(self) -> AgreementVersion | None:
        """The version of the agreement in force; None before its first day."""
        return newest(self.published.versions, self.day) if self.published else None


@dataclass(frozen=True)
class Figures:
    """The newest edition of the agreement that has come; None before the first one has."""

    published: AgreementPublished | None = None

    @property
    def edition(self) -> int:
        """The edition's number; 0 before the first one has come."""
        return self.published.edition if self.published else 0

    def at(self, day: date) -> InForce:
        """Return the agreement as it is in force on a day."""
        return InForce(self.published, day)

    def history(self, name: FigureName, scope: str | None = None) -> Sequence[Figure]:
        """Return every figure of a name and scope that was, is or will be in force, in the order of its days."""
        every = self.published.figures if self.published else ()
        return sorted(
            (each for each in every if (each.name, each.scope) == (name, scope)), key=lambda each: each.valid_from
        )


def key_of(delegation: Delegation) -> tuple[Task, str, str]:
    """Return what a delegation is about: of two with the same key the later one counts."""
    return delegation.task, delegation.competent_authority, delegation.acting_authority
