"""The agreement's decisions: who may take which, what is in force when, what a decision taken back leaves."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.advisory import data
from services.advisory.domain.agreement import (
    DecisionState,
    NewDelegation,
    NewFigure,
    Proposal,
    Results,
    check_confirmation,
    check_proposal,
    publication,
    results_of,
    results_of_taking_back,
)
from shared.errors import ConflictError, ForbiddenError, RefusedError
from shared.events.v1.agreement import AgreementPublished, DecisionRef, FigureName, Group
from shared.figures import Figures

CITIES = frozenset({"helsinki", "espoo", "vantaa"})
TODAY = date(2026, 11, 25)
LATER = date(2027, 1, 1)
FIRST = data.first_agreement()
YEARS = NewFigure(name=FigureName.PERSON_YEARS, scope="advisory", by_authority={"helsinki": 5, "espoo": 2, "vantaa": 2})
LIMIT = NewFigure(name=FigureName.JOINT_HANDLING_BELOW, value=80)
QUOTAS = NewFigure(name=FigureName.SEAT_QUOTAS, by_authority={"helsinki": 40, "espoo": 30, "vantaa": 30})


def proposal(*figures: NewFigure, **changes: Any) -> Proposal:
    values = {"group": Group.MANAGEMENT, "title": "as agreed", "reference": "1/2026 § 4", "valid_from": LATER}
    return Proposal(**(values | {"figures": figures} | changes))


def ref(decision_id: UUID | None = None) -> DecisionRef:
    return DecisionRef(decision_id=decision_id or uuid4(), group=Group.MANAGEMENT, reference="1/2026", decided_on=TODAY)


def after(*results: Results) -> AgreementPublished:
    return publication(FIRST, results)


def limit_on(published: AgreementPublished, day: date) -> float | None:
    figure = Figures(published).at(day).figure(FigureName.JOINT_HANDLING_BELOW)
    return figure.value if figure else None


def test_the_agreement_as_signed_has_its_parties_tasks_and_shares_and_its_figures_are_unverified() -> None:
    agreement = FIRST.agreement
    assert {party.authority: party.municipalities for party in agreement.parties} == {
        "helsinki": ("091",),
        "espoo": ("049", "235"),
        "vantaa": ("092",),
    }
    assert len(agreement.tasks) == 5
    assert [(share.percent, share.least_person_years) for share in agreement.shares] == [(50, 20), (25, 10), (25, 10)]
    assert agreement.term.certainty == "to be checked"
    in_force = Figures(after()).at(TODAY)
    assert {figure.certainty for figure in in_force.figures} == {"unverified"}
    assert {figure.name for figure in in_force.figures} == set(FigureName) - {FigureName.OPERATING_MODEL}
    assert in_force.version is not None
    assert Figures(after()).at(date(2024, 12, 31)).version is None


def test_a_figure_is_in_force_from_its_day_on_and_names_its_decision() -> None:
    decision = ref()
    published = after(results_of(proposal(LIMIT), decision, None))
    assert published.edition == 2
    assert (limit_on(published, date(2026, 12, 31)), limit_on(published, LATER)) == (50, 80)
    figure = Figures(published).at(LATER).figure(FigureName.JOINT_HANDLING_BELOW)
    assert figure is not None
    assert (figure.decision, figure.certainty) == (decision, "verified")


def test_a_decision_taken_back_leaves_what_held_without_it_from_the_day_on() -> None:
    first, second = uuid4(), uuid4()
    results = [
        results_of(proposal(LIMIT), ref(first), None),
        results_of(proposal(LIMIT.model_copy(update={"value": 90}), valid_from=date(2027, 3, 1)), ref(second), None),
    ]
    back = results_of_taking_back(after(*results), second, date(2027, 4, 1), ref())
    published = after(*results, back)
    assert [limit_on(published, day) for day in (LATER, date(2027, 3, 1), date(2027, 4, 1))] == [80, 90, 80]
    # Before its first day: it never comes into force, and what was decided before it stays.
    early = results_of_taking_back(after(*results), second, LATER, ref())
    assert [limit_on(after(*results, early), day) for day in (LATER, date(2027, 3, 1))] == [80, 80]
    # Of something that was never in force before, nothing is left.
    model = results_of(proposal(operating_model=1), ref(first), None)
    gone = results_of_taking_back(after(model), first, date(2027, 2, 1), ref())
    figures = Figures(after(model, gone))
    assert figures.at(LATER).figure(FigureName.OPERATING_MODEL) is not None
    assert figures.at(date(2027, 2, 1)).figure(FigureName.OPERATING_MODEL) is None


def test_taking_back_the_taking_back_puts_the_decision_in_force_again() -> None:
    first, second = uuid4(), uuid4()
    results = [results_of(proposal(LIMIT), ref(first), None)]
    results.append(results_of_taking_back(after(*results), first, date(2027, 2, 1), ref(second)))
    results.append(results_of_taking_back(after(*results), second, date(2027, 3, 1), ref()))
    days = (LATER, date(2027, 2, 1), date(2027, 3, 1))
    assert [limit_on(after(*results), day) for day in days] == [80, 50, 80]


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 99)), min_size=1, max_size=6),
    st.integers(1, 400),
)
def test_whatever_was_decided_a_decision_taken_back_at_once_changes_no_day(
    decided: list[tuple[int, int]], day: int
) -> None:
    def on(number: int) -> date:
        return date.fromordinal(LATER.toordinal() + number)

    ids = [uuid4() for _ in decided]
    results = [
        results_of(proposal(LIMIT.model_copy(update={"value": value}), valid_from=on(start)), ref(made), None)
        for made, (start, value) in zip(ids, decided, strict=True)
    ]
    last = ids[-1]
    back = results_of_taking_back(after(*results), last, on(0), ref())
    without = after(*results[:-1])
    assert limit_on(after(*results, back), on(day)) == limit_on(without, on(day))


def test_a_version_of_the_agreement_is_in_force_from_its_day_on_and_back_again() -> None:
    amended = FIRST.agreement.model_copy(update={"tasks": FIRST.agreement.tasks[:4]})
    made = uuid4()
    results = results_of(proposal(agreement_version=2), ref(made), amended)
    back = results_of_taking_back(after(results), made, date(2027, 6, 1), ref())
    figures = Figures(after(results, back))
    versions = [figures.at(day).version for day in (TODAY, LATER, date(2027, 6, 1))]
    assert [version.version for version in versions if version] == [1, 2, 1]


def test_a_delegation_is_given_and_ended() -> None:
    given_by = NewDelegation(task="change_security", competent_authority="helsinki", acting_authority="vantaa")
    given_to = results_of(proposal(delegations=(given_by,)), ref(), None)
    ended = given_by.model_copy(update={"in_force": False})
    end = results_of(proposal(delegations=(ended,), valid_from=date(2027, 6, 1)), ref(), None)
    figures = Figures(after(given_to, end))
    assert [len(figures.at(day).delegations) for day in (TODAY, LATER, date(2027, 6, 1))] == [0, 1, 0]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (proposal(LIMIT, valid_from=date(2026, 11, 24)), "in-the-past"),
        (proposal(), "changes-or-takes-back"),
        (proposal(LIMIT, takes_back=uuid4()), "changes-or-takes-back"),
        (proposal(LIMIT, LIMIT), "given-twice"),
        (proposal(LIMIT, group=Group.COORDINATION), "not-that-group"),
        (proposal(operating_model=1, group=Group.COORDINATION), "not-that-group"),
        (proposal(YEARS.model_copy(update={"scope": "cooking"})), "unknown-scope"),
        (proposal(YEARS.model_copy(update={"by_authority": {"helsinki": 5}})), "each-authority"),
        (proposal(YEARS.model_copy(update={"by_authority": dict.fromkeys(CITIES, 0)})), "nobody"),
        (proposal(QUOTAS.model_copy(update={"by_authority": dict.fromkeys(CITIES, 34)})), "not-a-division"),
        (proposal(QUOTAS.model_copy(update={"by_authority": dict.fromkeys(CITIES, 0.5)})), "not-whole"),
        (proposal(LIMIT.model_copy(update={"value": None})), "one-value"),
        (proposal(NewFigure(name=FigureName.OPERATING_MODEL, value=1)), "not-a-figure"),
        (
            proposal(
                delegations=(NewDelegation(task="training", competent_authority="espoo", acting_authority="espoo"),)
            ),
            "one-and-another",
        ),
    ],
)
def test_what_cannot_be_decided_is_refused(changed: Proposal, code: str) -> None:
    check_proposal(proposal(LIMIT, YEARS, QUOTAS), CITIES, TODAY)
    check_proposal(proposal(QUOTAS, group=Group.COORDINATION), CITIES, TODAY)
    with pytest.raises(RefusedError) as refused:
        check_proposal(changed, CITIES, TODAY)
    assert refused.value.code == code


@dataclass
class Decision:
    proposal: Proposal
    state: DecisionState = DecisionState.PROPOSED
    proposed_by: str = "officer:m-1"
    decision_id: UUID = field(default_factory=uuid4)


def test_a_second_member_takes_a_decision_before_its_day() -> None:
    decision = Decision(proposal(LIMIT))
    check_confirmation(decision, "officer:m-2", (), LATER, is_member=True)
    with pytest.raises(ForbiddenError) as refused:
        check_confirmation(decision, "officer:m-1", (), TODAY, is_member=True)
    assert refused.value.code == "own-proposal"
    with pytest.raises(ForbiddenError):
        check_confirmation(decision, "officer:m-2", {"officer:m-2"}, TODAY, is_member=True)
    with pytest.raises(ForbiddenError) as stranger:
        check_confirmation(decision, "officer:m-2", (), TODAY, is_member=False)
    assert stranger.value.code == "not-a-member"
    with pytest.raises(ConflictError) as late:
        check_confirmation(decision, "officer:m-2", (), date(2027, 1, 2), is_member=True)
    assert late.value.code == "day-has-passed"
    with pytest.raises(ConflictError):
        check_confirmation(Decision(proposal(LIMIT), DecisionState.TAKEN), "officer:m-2", (), TODAY, is_member=True)
