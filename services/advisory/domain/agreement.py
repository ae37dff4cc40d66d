"""The agreement's figures as decisions: who may decide what, what a decision puts in force, how one is taken back.

Nothing is overwritten. A decision adds figures from a day on; one that is taken back is answered by a new decision,
which puts in force what would hold without it.
"""

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Protocol, TypeVar
from uuid import UUID

from pydantic import Field

from services.advisory.domain.governance import must_be_member
from services.advisory.domain.resources import TASKS
from services.advisory.domain.response import Channel
from shared.errors import ConflictError, ForbiddenError, RefusedError
from shared.events.envelope import Part
from shared.events.v1.advisory import Task
from shared.events.v1.agreement import (
    Agreement,
    AgreementPublished,
    AgreementVersion,
    DecisionRef,
    Delegation,
    Figure,
    FigureName,
    Group,
)
from shared.events.values import Day
from shared.figures import key_of, newest

_ALL: Final = 100
_Entry = TypeVar("_Entry")


class FirstAgreement(Part):
    """The agreement as it was signed, and the figures that are used until a decision is taken."""

    agreement: Agreement
    figures: tuple[Figure, ...]
    delegations: tuple[Delegation, ...] = ()

    @property
    def version(self) -> AgreementVersion:
        """The first version."""
        return AgreementVersion(version=1, valid_from=self.agreement.term.since, agreement=self.agreement)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a figure of a name looks like.

    Attributes:
        group: the group that decides it; the management group may decide all.
        unit: its unit.
        scopes: what it is given for; (None,) for everything at once.
        per_authority: whether each authority has its own number.
        whole: whether it is a whole number.
    """

    group: Group
    unit: str
    scopes: tuple[str | None, ...] = (None,)
    per_authority: bool = False
    whole: bool = True


KINDS: Final = {
    FigureName.PERSON_YEARS: Kind(Group.MANAGEMENT, "person-years", TASKS, per_authority=True, whole=False),
    FigureName.SEAT_QUOTAS: Kind(Group.COORDINATION, "per cent of a group's seats", per_authority=True),
    FigureName.JOINT_HANDLING_BELOW: Kind(Group.MANAGEMENT, "employees"),
    FigureName.ACKNOWLEDGE_WITHIN: Kind(Group.MANAGEMENT, "business days"),
    FigureName.STORE_WITHIN: Kind(Group.MANAGEMENT, "minutes"),
    FigureName.ACTING_ANSWERED_WITHIN: Kind(Group.MANAGEMENT, "business days"),
    FigureName.RESPONSE_HOURS: Kind(Group.MANAGEMENT, "office hours", tuple(Channel), whole=False),
}
"""The figures that a decision can set. The operating model's version follows from its confirmation."""


class NewFigure(Part):
    """A figure to be decided: either one value, or one for each authority."""

    name: FigureName
    scope: str | None = Field(default=None, max_length=50, description="The task or the channel.")
    value: float | None = Field(default=None, ge=0, le=100_000)
    by_authority: dict[str, float] | None = Field(default=None, min_length=1, max_length=20)


class NewDelegation(Part):
    """A standing delegation to be given, or ended."""

    task: Task
    competent_authority: str = Field(max_length=50)
    acting_authority: str = Field(max_length=50)
    in_force: bool = True


class Proposal(Part):
    """A decision as it is proposed to a group. It changes figures and texts, or takes an earlier decision back.

    Attributes:
        reference: by which the decision is found in the minutes.
        agreement_version, operating_model: the version that it puts in force.
        takes_back: the decision that it takes back.
        meeting_id: the meeting at which it is on the agenda; without one it is decided between meetings.
        attachments: references of documents that are kept elsewhere.
    """

    group: Group
    title: str = Field(min_length=3, max_length=200)
    reference: str = Field(min_length=1, max_length=100)
    valid_from: Day
    figures: tuple[NewFigure, ...] = Field(default=(), max_length=30)
    delegations: tuple[NewDelegation, ...] = Field(default=(), max_length=30)
    agreement_version: int | None = Field(default=None, ge=1)
    operating_model: int | None = Field(default=None, ge=1)
    takes_back: UUID | None = None
    meeting_id: UUID | None = None
    attachments: tuple[str, ...] = Field(default=(), max_length=20)

    @property
    def changes(self) -> bool:
        """Whether it sets a figure or puts a text in force."""
        return bool(self.figures or self.delegations or self.agreement_version or self.operating_model)


class DecisionState(StrEnum):
    """Where a decision stands. One that is taken is never changed: another one takes it back."""

    PROPOSED = "proposed"
    TAKEN = "taken"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Results(Part):
    """What a decision puts in force."""

    versions: tuple[AgreementVersion, ...] = ()
    figures: tuple[Figure, ...] = ()
    delegations: tuple[Delegation, ...] = ()


NOTHING: Final = Results()


def check_proposal(proposal: Proposal, authorities: AbstractSet[str], today: date) -> None:
    """Check what is proposed.

    Raises:
        RefusedError: it is no division between the authorities, not for that group to decide, or in the past.
    """
    if proposal.valid_from < today:
        raise RefusedError("/valid_from", "in-the-past", "A decision is in force from today at the earliest.")
    if (proposal.takes_back is not None) == proposal.changes:
        text = "A decision changes something, or takes an earlier one back."
        raise RefusedError("", "changes-or-takes-back", text)
    keys = [(figure.name, figure.scope) for figure in proposal.figures]
    if len(keys) != len(set(keys)):
        raise RefusedError("/figures", "given-twice", "A figure is given twice.")
    for place, figure in enumerate(proposal.figures):
        _check_figure(f"/figures/{place}", figure, proposal.group, authorities)
    for place, delegation in enumerate(proposal.delegations):
        sides = {delegation.competent_authority, delegation.acting_authority}
        if len(sides) == 1 or not sides <= authorities:
            text = "A delegation is from one of the region's authorities to another."
            raise RefusedError(f"/delegations/{place}", "one-and-another", text)
    texts = proposal.delegations or proposal.agreement_version or proposal.operating_model
    if texts and proposal.group is not Group.MANAGEMENT:
        raise RefusedError("/group", "not-that-group", "That is for the management group to decide.")


def _check_figure(pointer: str, figure: NewFigure, group: Group, authorities: AbstractSet[str]) -> None:
    kind = KINDS.get(figure.name)
    if kind is None:
        raise RefusedError(f"{pointer}/name", "not-a-figure", "It follows from the confirmation of a text.")
    if group not in {kind.group, Group.MANAGEMENT}:
        raise RefusedError("/group", "not-that-group", "That is for the management group to decide.")
    if figure.scope not in kind.scopes:
        raise RefusedError(f"{pointer}/scope", "unknown-scope", "The figure is not given for that.")
    if kind.per_authority:
        numbers = figure.by_authority or {}
        if numbers.keys() != authorities or figure.value is not None or min(numbers.values()) < 0:
            text = "The figure has a number of at least 0 for each of the region's authorities."
            raise RefusedError(f"{pointer}/by_authority", "each-authority", text)
        _check_numbers(pointer, figure, numbers)
    elif figure.value is None or figure.by_authority is not None:
        raise RefusedError(f"{pointer}/value", "one-value", "The figure is one value.")
    if kind.whole and any(number % 1 for number in _numbers(figure)):
        raise RefusedError(pointer, "not-whole", "The figure is a whole number.")


def _check_numbers(pointer: str, figure: NewFigure, numbers: dict[str, float]) -> None:
    if figure.name is FigureName.SEAT_QUOTAS and sum(numbers.values()) > _ALL:
        raise RefusedError(f"{pointer}/by_authority", "not-a-division", "The quotas are more than all seats.")
    if figure.name is FigureName.PERSON_YEARS and not sum(numbers.values()):
        raise RefusedError(f"{pointer}/by_authority", "nobody", "At least one authority gives something.")


def _numbers(figure: NewFigure) -> Collection[float]:
    return figure.by_authority.values() if figure.by_authority is not None else [figure.value or 0]


class Proposed(Protocol):
    """What of a decision is looked at when it is decided on."""

    decision_id: UUID
    state: DecisionState
    proposal: Proposal
    proposed_by: str


def check_confirmation(decision: Proposed, by: str, writers: Collection[str], today: date, *, is_member: bool) -> None:
    """Let a proposed decision be taken by a member who has written neither it nor a text that it confirms.

    Raises:
        ForbiddenError: `not-a-member`, `own-proposal`.
        ConflictError: it was decided on already, or its day has passed.
    """
    must_be_proposed(decision)
    must_be_member(is_member=is_member)
    if by == decision.proposed_by or by in writers:
        raise ForbiddenError("own-proposal", "Whoever wrote a text or a figure cannot approve it.")
    if decision.proposal.valid_from < today:
        raise ConflictError("day-has-passed", "The day from which it would be in force has passed: propose it anew.")


def must_be_proposed(decision: Proposed) -> None:
    """Let a decision be acted on while it is proposed.

    Raises:
        ConflictError: `invalid-state`.
    """
    if decision.state is not DecisionState.PROPOSED:
        raise ConflictError("invalid-state", f"The decision is {decision.state}.")


def results_of(proposal: Proposal, ref: DecisionRef, agreement: Agreement | None) -> Results:
    """Return what a decision that changes something puts in force; `agreement`: the text it names, if it names one."""
    shared = {"valid_from": proposal.valid_from, "source": proposal.title, "certainty": "verified", "decision": ref}
    figures = [
        Figure(
            name=figure.name,
            scope=figure.scope,
            value=figure.value,
            by_authority=figure.by_authority,
            unit=KINDS[figure.name].unit,
            **shared,
        )
        for figure in proposal.figures
    ]
    if proposal.operating_model is not None:
        figures.append(
            Figure(name=FigureName.OPERATING_MODEL, value=proposal.operating_model, unit="version", **shared)
        )
    delegations = tuple(Delegation(**delegation.model_dump(), **shared) for delegation in proposal.delegations)
    versions: tuple[AgreementVersion, ...] = ()
    if proposal.agreement_version is not None and agreement is not None:
        versions = (
            AgreementVersion(
                version=proposal.agreement_version,
                valid_from=proposal.valid_from,
                agreement=agreement,
                decision=ref,
            ),
        )
    return Results(versions=versions, figures=tuple(figures), delegations=delegations)


def results_of_taking_back(
    published: AgreementPublished, taken_back: UUID, valid_from: date, ref: DecisionRef
) -> Results:
    """Return what puts in force, from a day on, what would be in force without a decision.

    A decision that is not in force yet never comes into force: what held before it stays.
    """

    def is_of(entry: Figure | Delegation | AgreementVersion) -> bool:
        return entry.decision is not None and entry.decision.decision_id == taken_back

    source = "An earlier decision was taken back"
    figures = []
    for figure in filter(is_of, published.figures):
        day = max(valid_from, figure.valid_from)
        others = [
            each
            for each in published.figures
            if (each.name, each.scope) == (figure.name, figure.scope) and not is_of(each)
        ]
        held = newest(others, day) or figure.model_copy(update={"value": None, "by_authority": None})
        figures.append(held.model_copy(update={"valid_from": day, "decision": ref, "source": source}))
    delegations = []
    for delegation in filter(is_of, published.delegations):
        day = max(valid_from, delegation.valid_from)
        alike = [each for each in published.delegations if key_of(each) == key_of(delegation) and not is_of(each)]
        held_delegation = newest(alike, day) or delegation.model_copy(update={"in_force": False})
        delegations.append(held_delegation.model_copy(update={"valid_from": day, "decision": ref, "source": source}))
    versions = []
    for version in filter(is_of, published.versions):
        day = max(valid_from, version.valid_from)
        before = newest([each for each in published.versions if not is_of(each)], day)
        if before is not None:
            versions.append(before.model_copy(update={"valid_from": day, "decision": ref}))
    return Results(versions=tuple(versions), figures=tuple(figures), delegations=tuple(delegations))


def publication(first: FirstAgreement, results: Sequence[Results]) -> AgreementPublished:
    """Return the edition of the agreement that follows from every decision taken, in the order they were taken."""
    return AgreementPublished(
        edition=1 + len(results),
        versions=(first.version, *_each(result.versions for result in results)),
        figures=(*first.figures, *_each(result.figures for result in results)),
        delegations=(*first.delegations, *_each(result.delegations for result in results)),
    )


def _each(parts: Iterable[Iterable[_Entry]]) -> list[_Entry]:
    return [entry for part in parts for entry in part]
