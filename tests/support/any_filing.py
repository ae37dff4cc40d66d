"""Every filing that an employer could send: with numbers missing, at the limits, with days long ago and far ahead."""

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from shared.events.v1.change_security import FilingKind, LayoffGround, LegalBasis, Measure

FIRST, LAST = date(1900, 1, 1), date(2200, 12, 31)
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 12, 31, 23, 59, 59), timezones=st.just(UTC))  # noqa: DTZ001
DAYS = st.dates(FIRST, LAST)
COUNTS = st.sampled_from([0, 1, 5, 9, 10, 19, 20, 30, 49, 50, 90, 10_000_000])
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


WORDS = st.text('aäÅ漢😀{}"\\ \n09-', max_size=10)
TEXT = st.none() | WORDS


def any_filing(
    business_ids: st.SearchStrategy[str] = WORDS, municipalities: st.SearchStrategy[str] = WORDS
) -> st.SearchStrategy[Known]:
    """Filings of every form that validates, as JSON."""
    return st.fixed_dictionaries(
        {
            "kind": st.sampled_from([kind.value for kind in FilingKind]),
            "employer": st.fixed_dictionaries(
                {"business_id": business_ids},
                optional={
                    "name": TEXT,
                    "domicile": st.none() | municipalities,
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
                        "municipality": st.none() | municipalities,
                        "ends_from": st.none() | DAYS.map(str),
                    },
                ),
                max_size=4,
            ),
        },
    )
