"""Forming groups from a joint queue: size bounds, language, start window, travel, quotas.

Two steps, each exact for what it decides. CP-SAT chooses which groups are opened and how many come from each kind of
applicant (people who fit the same groups are alike to it: a few hundred integers instead of tens of thousands of
booleans). A minimum-cost flow then says who sits where: as many as were promised, quotas first, and among equals those
who come first in the queue.

Deterministic: one worker, a fixed seed, and a deterministic time limit instead of a clock, so that the same input gives
the same groups on any machine. A first-come solution is given as a hint, so the answer never places fewer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.training.domain.seats import Applicant, Slot, obstacles, queue, quotas

_DETERMINISTIC_TIME: Final = 3.0
_PLACED: Final = 1_000_000
"""A person placed outweighs every other wish."""
_WITHIN_QUOTA: Final = 20_000
"""An authority's own seat outweighs the order of the joint queue."""
_ORDER: Final = 10_000
"""The first in the queue is worth this much more than the last."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an applicant is placed, or why not and what would let the applicant in."""

    applicant: Applicant
    slot: str | None
    reason: str
    would_help: str | None = None


@dataclass(frozen=True, slots=True)
class Formation:
    """The proposed groups: who is in which, and who is left out."""

    placements: tuple[Placement, ...]
    groups: Mapping[str, int]

    @property
    def placed(self) -> int:
        """How many are placed."""
        return sum(1 for placement in self.placements if placement.slot is not None)


@dataclass(frozen=True, slots=True)
class ProposedPlacement:
    """A placement as it is kept with the proposed groups: by the application's id."""

    application_id: UUID
    authority: str
    reason: str
    slot: str | None = None
    would_help: str | None = None


def proposed(formation: Formation) -> tuple[ProposedPlacement, ...]:
    """Return the placements of a formation as they are kept."""
    return tuple(
        ProposedPlacement(
            placement.applicant.application_id,
            placement.applicant.authority,
            placement.reason,
            placement.slot,
            placement.would_help,
        )
        for placement in formation.placements
    )


def sizes_of(placements: Iterable[ProposedPlacement]) -> dict[str, int]:
    """Return how many are placed in each group that is opened."""
    return dict(Counter(placement.slot for placement in placements if placement.slot is not None))


Places = dict[int, int]
"""Group by applicant, both by their place in the sequences."""


def form(applicants: Sequence[Applicant], slots: Sequence[Slot], shares: Mapping[str, int]) -> Formation:
    """Propose groups from a joint queue. Same input, same groups, whatever the order of the input.

    Args:
        applicants: the queue.
        slots: the groups that could be formed.
        shares: each authority's agreed share of seats, per cent. What its own queue cannot fill goes to the others.
    """
    people = queue(applicants)
    groups = sorted(slots, key=lambda slot: (slot.starts_on, slot.name))
    fitting = [tuple(number for number, slot in enumerate(groups) if not obstacles(person, slot)) for person in people]
    floor = _first_come(fitting, groups)
    sizes = _chosen_sizes(fitting, groups, floor)
    return _explained(people, groups, fitting, _seated(people, fitting, sizes, shares))


def first_come(applicants: Sequence[Applicant], slots: Sequence[Slot]) -> Places:
    """Place each in the order of the queue into the first group with room; groups that stay too small are dropped.

    What is done by hand today, and what `form` is measured against.
    """
    people = queue(applicants)
    fitting = [tuple(number for number, slot in enumerate(slots) if not obstacles(person, slot)) for person in people]
    return _first_come(fitting, slots)


def _first_come(fitting: Sequence[tuple[int, ...]], groups: Sequence[Slot]) -> Places:
    sizes: Counter[int] = Counter()
    places: Places = {}
    for place, numbers in enumerate(fitting):
        for number in numbers:
            if sizes[number] < groups[number].max_size:
                sizes[number] += 1
                places[place] = number
                break
    return {place: number for place, number in places.items() if sizes[number] >= groups[number].min_size}


def _chosen_sizes(fitting: Sequence[tuple[int, ...]], groups: Sequence[Slot], floor: Places) -> dict[int, int]:
    """Return the size of each group that is opened, as large in sum as can be found."""
    from ortools.sat.python import cp_model  # noqa: PLC0415 - takes a third of a second, and most processes never form

    kinds = Counter(numbers for numbers in fitting if numbers)
    hints = Counter((fitting[place], number) for place, number in floor.items())
    model = cp_model.CpModel()
    opened = [model.new_bool_var(f"open {number}") for number in range(len(groups))]
    into: dict[int, list[cp_model.IntVar]] = defaultdict(list)
    for kind, (numbers, count) in enumerate(sorted(kinds.items())):
        takes = []
        for number in numbers:
            taken = model.new_int_var(0, min(count, groups[number].max_size), f"{kind} in {number}")
            model.add_hint(taken, hints[numbers, number])
            into[number].append(taken)
            takes.append(taken)
        model.add(sum(takes) <= count)
    for number, slot in enumerate(groups):
        model.add(sum(into[number]) <= slot.max_size * opened[number])
        model.add(sum(into[number]) >= slot.min_size * opened[number])
        model.add_hint(opened[number], number in floor.values())
    # One more person outweighs any earlier start; among equal answers the earlier groups are taken.
    weight = len(groups) + 1
    model.maximize(
        sum(taken * (weight * len(fitting) + len(groups) - number) for number, takes in into.items() for taken in takes)
    )
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.relative_gap_limit = 0.002
    solver.parameters.max_deterministic_time = _DETERMINISTIC_TIME
    status = solver.solve(model)
    sizes = dict(Counter(floor.values()))
    if status in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        solved = {number: int(sum(solver.value(taken) for taken in takes)) for number, takes in into.items()}
        if sum(solved.values()) >= sum(sizes.values()):
            sizes = {number: size for number, size in solved.items() if size}
    return sizes


def _seated(
    people: Sequence[Applicant],
    fitting: Sequence[tuple[int, ...]],
    sizes: Mapping[int, int],
    shares: Mapping[str, int],
) -> Places:
    """Return who sits where: the flow of least cost that gives each group its size."""
    from ortools.graph.python import min_cost_flow  # noqa: PLC0415 - as above

    flow = min_cost_flow.SimpleMinCostFlow()
    nodes: dict[object, int] = {}

    def node(name: object) -> int:
        return nodes.setdefault(name, len(nodes))

    arcs: dict[int, tuple[int, int]] = {}
    authorities = sorted({person.authority for person in people})
    for place, person in enumerate(people):
        flow.set_node_supply(node(("person", place)), 1)
        flow.add_arc_with_capacity_and_unit_cost(node(("person", place)), node("left out"), 1, 0)
        worth = _PLACED + _ORDER * (len(people) - place) // len(people)
        for number in fitting[place]:
            if number in sizes:
                arc = flow.add_arc_with_capacity_and_unit_cost(
                    node(("person", place)), node((number, person.authority)), 1, number - worth
                )
                arcs[arc] = (place, number)
    for number, size in sorted(sizes.items()):
        own = quotas(size, shares)
        for authority in authorities:
            start = node((number, authority))
            quota = own.get(authority, 0)
            flow.add_arc_with_capacity_and_unit_cost(start, node(number), quota, -_WITHIN_QUOTA)
            flow.add_arc_with_capacity_and_unit_cost(start, node(number), size - quota, 0)
        # All of its seats: a group below the size that was promised could be too small to be held.
        flow.set_node_supply(node(number), -size)
    flow.set_node_supply(node("left out"), sum(sizes.values()) - len(people))
    if flow.solve() != flow.OPTIMAL:
        message = "the sizes that were found cannot be filled"
        raise RuntimeError(message)
    return {place: number for arc, (place, number) in arcs.items() if flow.flow(arc)}


def _explained(
    people: Sequence[Applicant], groups: Sequence[Slot], fitting: Sequence[tuple[int, ...]], places: Places
) -> Formation:
    sizes = Counter(places.values())
    # The first in the queue who fits a group and is in none, by group.
    left_out = {
        number: place for place in reversed(range(len(people))) if place not in places for number in fitting[place]
    }
    placements = []
    for place, person in enumerate(people):
        number = places.get(place)
        if number is None:
            placements.append(Placement(person, None, *_why_left_out(person, groups, fitting[place], sizes)))
            continue
        slot = groups[number]
        reason = f"speaks {slot.language}, travels to {slot.municipality}, can start by {slot.starts_on.isoformat()}"
        # With nobody who fits left out before, no quota was needed for this seat.
        decided = "points" if place < left_out.get(number, len(people)) else "quota"
        reason += f"; the {decided} decided"
        placements.append(Placement(person, slot.name, reason))
    return Formation(
        tuple(placements), {slot.name: sizes[number] for number, slot in enumerate(groups) if sizes[number]}
    )


def _why_left_out(
    person: Applicant, groups: Sequence[Slot], fitting: Sequence[int], sizes: Mapping[int, int]
) -> tuple[str, str | None]:
    if not groups:
        return "no group can be formed", None
    if not fitting:
        nearest = min(groups, key=lambda slot: (len(obstacles(person, slot)), slot.starts_on, slot.name))
        return (
            "no group fits",
            f"{' and '.join(obstacles(person, nearest))} would let the applicant into {nearest.name}",
        )
    formed = [number for number in fitting if sizes.get(number)]
    if not formed:
        slot = groups[fitting[0]]
        return "the groups that fit would stay too small", f"{slot.min_size} applicants who fit {slot.name}"
    return (
        "the groups that fit are full, by points, queue time and quotas",
        f"one more seat in {groups[formed[0]].name}, or more points by the criteria",
    )
