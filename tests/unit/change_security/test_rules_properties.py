"""What holds for every filing: an unknown is never milder than what it turns out to be, and every filing can be
shown."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from hypothesis import given, note
from hypothesis import strategies as st

from deploy.local.sample_data import BUSINESS_ID
from services.change_security import data
from services.change_security.domain.case import CheckItem, checklists, course
from services.change_security.domain.filing import masked, missing
from services.change_security.domain.reductions import Reduction, StoredFiling, earlier_reductions
from services.change_security.domain.rules import assess
from services.change_security.models import AssessmentOut
from shared.events.v1.change_security import Filing, FilingKind, LayoffGround, LegalBasis, Measure

RULES = data.rules()
FIRST, LAST = date(1900, 1, 1), date(2200, 12, 31)
INSTANTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - the strategy adds the time zone
    datetime(2200, 12, 31, 23, 59, 59),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)
DAYS = st.dates(FIRST, LAST)
NEAR = st.dates(date(2025, 5, 1), date(2025, 9, 30))
COUNTS = st.sampled_from([0, 1, 5, 9, 10, 19, 20, 30, 49, 50, 90, 10_000_000])
STAFF = st.sampled_from([0, 19, 20, 29, 30, 49, 50, 500])
LENGTHS = st.sampled_from([0, 30, 90, 91, 200])
GROUNDS = st.sampled_from([ground.value for ground in LayoffGround])
Known = dict[str, Any]


def a_measure(*, known: bool) -> st.SearchStrategy[Known]:
    def value(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return values if known else st.none() | values

    return st.fixed_dictionaries(
        {
            "measure": st.sampled_from([measure.value for measure in Measure]),
            "count": value(COUNTS),
            "layoff_days": value(LENGTHS),
            "layoff_ground": value(GROUNDS),
        }
    )


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


WORDS = st.text('aäÅ漢😀{}"\\ \n09-', max_size=10)
TEXT = st.none() | WORDS
ANY_FILING = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([kind.value for kind in FilingKind]),
        "employer": st.fixed_dictionaries(
            {"business_id": WORDS},
            optional={
                "name": TEXT,
                "domicile": st.none() | WORDS,
                "regular_staff": st.none() | st.integers(0, 10_000_000),
                "in_restructuring": st.none() | st.booleans(),
            },
        ),
    },
    optional={
        "legal_basis": st.none() | st.sampled_from([basis.value for basis in LegalBasis]),
        "negotiations": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "given_on": st.none() | DAYS.map(str),
                "starts_at": st.none() | INSTANTS.map(datetime.isoformat),
                "personnel_informed_on": st.none() | DAYS.map(str),
            },
        ),
        "measures": st.lists(a_measure(known=False) | a_measure(known=True), max_size=4),
        "terminations": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "count": st.none() | COUNTS,
                    "duties": TEXT,
                    "occupation": st.none() | st.fixed_dictionaries({"scheme": WORDS, "code": WORDS}),
                    "ends_from": st.none() | DAYS.map(str),
                },
            ),
            max_size=4,
        ),
    },
)


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
