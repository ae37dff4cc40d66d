"""What holds for every filing: an unknown is never milder than what it turns out to be, and every filing can be
shown."""

from datetime import UTC, date, datetime
from uuid import UUID

from hypothesis import given, note
from hypothesis import strategies as st

from deploy.local.sample_data import BUSINESS_ID
from services.change_security import data
from services.change_security.domain.case import CheckItem, checklists, course
from services.change_security.domain.filing import masked, missing
from services.change_security.domain.reductions import Reduction, StoredFiling, earlier_reductions
from services.change_security.domain.rules import assess, days_of_earlier
from services.change_security.models import AssessmentOut
from shared.events.v1.change_security import Filing, FilingKind, LayoffGround, Measure
from tests.support.any_filing import COUNTS, INSTANTS, LENGTHS, Known, a_measure, any_filing

RULES = data.rules()
NEAR = st.dates(date(2025, 5, 1), date(2025, 9, 30))
STAFF = st.sampled_from([0, 19, 20, 29, 30, 49, 50, 500])
FULLY_KNOWN = st.fixed_dictionaries(
    {
        "kind": st.just("negotiation_proposal"),
        "legal_basis": st.sampled_from([None, "YTL_1333_2021", "KUNTA_449_2007", "VOLUNTARY"]),
        "employer": st.fixed_dictionaries(
            {
                "business_id": st.just(BUSINESS_ID),
                "regular_staff": STAFF,
                "in_restructuring": st.booleans(),
            }
        ),
        "negotiations": st.fixed_dictionaries(
            {"given_on": NEAR.map(str), "starts_at": st.just("2025-10-01T09:00:00+03:00")}
        ),
        "measures": st.lists(a_measure(known=True), max_size=3),
    }
)
REDUCTIONS = st.lists(
    st.builds(
        Reduction,
        NEAR,
        st.sampled_from(FilingKind),
        st.sampled_from(Measure),
        COUNTS,
        LENGTHS,
        st.sampled_from(LayoffGround),
    ),
    max_size=3,
)


@st.composite
def made_unknown(draw: st.DrawFn, known: Known) -> Known:
    """The same filing with some of its numbers and grounds not told."""

    def forget(values: Known, *names: str) -> Known:
        return {name: None if name in names and draw(st.booleans()) else value for name, value in values.items()}

    measures = [forget(measure, "count", "layoff_days", "layoff_ground") for measure in known["measures"]]
    return known | {
        "employer": forget(known["employer"], "regular_staff", "in_restructuring"),
        "measures": [] if draw(st.booleans()) else measures,
    }


@given(st.data(), FULLY_KNOWN, REDUCTIONS)
def test_a_known_value_in_place_of_an_unknown_gives_no_later_and_no_stricter_day(
    choices: st.DataObject, known: Known, earlier: list[Reduction]
) -> None:
    unknown = choices.draw(made_unknown(known))
    unknown_earlier = choices.draw(st.sampled_from([None, earlier]))
    arrived = datetime(2025, 9, 1, tzinfo=UTC)
    before = assess(Filing.model_validate(unknown), arrived, RULES, unknown_earlier)
    after = assess(Filing.model_validate(known), arrived, RULES, earlier)
    note(f"{before}\n{after}")
    shown = {clock.name: clock.day for clock in before.clocks}
    for clock in after.clocks:
        assert clock.day <= shown[clock.name]
    if before.scope != "unknown":
        assert after.scope == before.scope
    if before.plan != "unknown":
        assert after.plan == before.plan


@given(st.data(), FULLY_KNOWN)
def test_a_day_that_would_be_earlier_with_a_number_names_that_number(choices: st.DataObject, known: Known) -> None:
    known |= {"employer": known["employer"] | {"in_restructuring": False}}  # no number: never asked for
    unknown = choices.draw(made_unknown(known))
    arrived = datetime(2025, 9, 1, tzinfo=UTC)
    before = assess(Filing.model_validate(unknown), arrived, RULES, ())
    after = assess(Filing.model_validate(known), arrived, RULES, ())
    known_days = {clock.name: clock.day for clock in after.clocks}
    for clock in before.clocks:
        if known_days.get(clock.name, clock.day) < clock.day:
            assert clock.missing


ANY_FILING = any_filing()


@given(ANY_FILING, INSTANTS, st.lists(st.tuples(ANY_FILING, INSTANTS), max_size=3))
def test_every_filing_that_validates_can_be_assessed_and_shown(
    content: Known, arrived: datetime, others: list[tuple[Known, datetime]]
) -> None:
    filing = Filing.model_validate(content)
    stored = [
        StoredFiling(UUID(int=place), 1, at, Filing.model_validate(other)) for place, (other, at) in enumerate(others)
    ]
    for earlier in (None, earlier_reductions(stored, UUID(int=0))):
        assessment = assess(filing, arrived, RULES, earlier)
        assert AssessmentOut.of(assessment).model_dump_json()
        assert course(assessment.plan)
        for checklist in checklists(filing, {}, RULES, assessment.rules_of):
            assert [bool(check.message.text.fi) for check in checklist.checks] == [True] * len(CheckItem)
    assert isinstance(missing(filing), tuple)
    assert Filing.model_validate_json(masked(filing).model_dump_json())
    assert Filing.model_validate_json(filing.model_dump_json()) == filing


@given(FULLY_KNOWN, REDUCTIONS)
def test_the_scope_hangs_on_earlier_reductions_only_where_they_are_looked_for(
    known: Known, earlier: list[Reduction]
) -> None:
    filing, arrived = Filing.model_validate(known), datetime(2025, 9, 1, tzinfo=UTC)
    days = days_of_earlier(filing, arrived, RULES)
    without, with_all = (assess(filing, arrived, RULES, given) for given in (None, earlier))
    if days is None:
        assert (without.scope, without.missing) == (with_all.scope, with_all.missing)
    else:
        within = [one for one in earlier if days[0] <= one.day <= days[1]]
        assert assess(filing, arrived, RULES, within) == with_all
