"""What the lists say of a filing, what they are searched by, and their form as CSV."""

import csv
import io
from datetime import UTC, date, datetime

from pydantic import BaseModel

from services.change_security.domain.summary import search_key, summary
from services.change_security.lists import Filters, conditions
from shared.events.v1.change_security import Measure
from shared.http.csv import as_csv
from tests.support.filings import ARRIVED, proposal, termination_notice


class Line(BaseModel):
    employer: str | None
    count: int | None
    late: bool


def test_a_summary_says_who_where_what_and_how_many() -> None:
    said = summary(termination_notice(40, 3), ARRIVED)
    assert (said.employer, said.employer_key) == ("Esimerkkitehdas Oy", "esimerkkitehdas oy")
    assert (said.municipalities, said.measures) == (("092",), (Measure.TERMINATION,))
    assert (said.affected, said.terminations, said.counts_complete) == (43, 43, True)
    assert said.rules_of == date(2026, 11, 24)


def test_a_missing_number_is_said_and_the_others_count() -> None:
    measures = [{"measure": "layoff", "count": 30}, {"measure": "termination", "count": None}]
    said = summary(proposal(measures=measures), ARRIVED)
    assert (said.affected, said.terminations, said.counts_complete) == (30, 0, False)
    assert said.measures == (Measure.LAYOFF, Measure.TERMINATION)
    assert not summary(proposal(measures=[]), ARRIVED).counts_complete


def test_a_name_is_searched_by_its_beginning_whatever_its_case_and_its_signs_mean_themselves() -> None:
    assert search_key("  ÄÄNEKOSKEN  Saha Oy") == "äänekosken saha oy"
    _, values = conditions(Filters(employer="Äänekosken  100%_\\"))
    assert values == {"employer": r"äänekosken 100\%\_\\" + "%"}


def test_only_what_is_asked_for_is_filtered_and_days_are_local_and_whole() -> None:
    assert conditions(Filters()) == ([], {})
    wanted, values = conditions(Filters(business_id="2077474-0", arrived_until=date(2026, 11, 24)))
    assert len(wanted) == 2
    assert values["business_id"] == "2077474-0"
    assert values["arrived_until"].astimezone(UTC) == datetime(2026, 11, 24, 22, tzinfo=UTC)


def test_csv_keeps_letters_and_commas_and_no_text_becomes_a_formula() -> None:
    lines = [Line(employer="Äly, Oy", count=None, late=True), Line(employer="=1+1", count=-3, late=False)]
    written = as_csv(list(Line.model_fields), (line.model_dump().values() for line in lines)).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(written)))
    assert rows == [["employer", "count", "late"], ["Äly, Oy", "", "true"], ["'=1+1", "-3", "false"]]
