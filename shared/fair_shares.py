"""Weighted choice: whose turn it is by agreed shares, and which of their officers has room.

Weighted fair queueing over authorities, then over their officers. An authority's turn comes when it has handled the
least for its agreed share: the next matter goes where (handled + 1) / agreed is smallest. As long as nobody is behind
by more than half a percentage point, only the officers with the least open work are looked at, so that fairness makes
nobody wait. Within the authority it goes to the officer with the least open work for the officer's own person-years.
Same input, same answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

BEHIND: Final = 0.005
"""An authority that is further behind its agreed share is next, even if its officers have more open work."""


class Candidate(Protocol):
    """An officer who may be chosen. `open`: the matters that the officer has now."""

    @property
    def officer(self) -> str:
        """The officer's opaque id."""

    @property
    def authority(self) -> str:
        """The officer's authority."""

    @property
    def person_years(self) -> float:
        """How much of a year the officer works on such matters; more than 0."""

    @property
    def open(self) -> int:
        """How many matters the officer has now."""


Chosen = TypeVar("Chosen", bound=Candidate)


@dataclass(frozen=True, slots=True)
class Choice(Generic[Chosen]):
    """Who is chosen, and the numbers that decided. Shares are of 1.

    Attributes:
        candidate: who is chosen.
        actual: the authority's part of what was handled before.
        agreed: the authority's agreed part.
    """

    candidate: Chosen
    actual: float
    agreed: float


def choose(candidates: Sequence[Chosen], handled: Mapping[str, int], agreed: Mapping[str, float]) -> Choice[Chosen]:
    """Choose one of the candidates.

    Args:
        candidates: at least one; each of an authority whose agreed part is more than 0.
        handled: what each authority was given in the period.
        agreed: what each authority gives, in any unit.
    """
    authority = turn({candidate.authority for candidate in candidates}, handled, agreed)
    if _behind(authority, handled, agreed) <= BEHIND:
        least = min(candidate.open for candidate in candidates)
        idle = {candidate.authority for candidate in candidates if candidate.open == least}
        authority = turn(idle, handled, agreed)
    chosen = min(
        (candidate for candidate in candidates if candidate.authority == authority),
        key=lambda candidate: ((candidate.open + 1) / candidate.person_years, candidate.open, candidate.officer),
    )
    return Choice(chosen, actual_share(authority, handled, agreed), agreed_share(authority, agreed))


def turn(authorities: Iterable[str], handled: Mapping[str, int], agreed: Mapping[str, float]) -> str:
    """Return whose turn it is."""
    return min(authorities, key=lambda name: ((handled.get(name, 0) + 1) / agreed[name], -agreed[name], name))


def actual_share(authority: str, handled: Mapping[str, int], agreed: Mapping[str, float]) -> float:
    """Return an authority's part of what was handled."""
    total = sum(handled.get(name, 0) for name in agreed)
    return handled.get(authority, 0) / total if total else 0.0


def agreed_share(authority: str, agreed: Mapping[str, float]) -> float:
    """Return an authority's agreed part."""
    return agreed[authority] / sum(agreed.values())


def _behind(authority: str, handled: Mapping[str, int], agreed: Mapping[str, float]) -> float:
    """Return by how much of everything an authority would stay behind its share if the next went elsewhere."""
    total = sum(handled.get(name, 0) for name in agreed) + 1
    return agreed_share(authority, agreed) - handled.get(authority, 0) / total
