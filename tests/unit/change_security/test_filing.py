"""What is refused, what is missing, what is masked."""

import json
from uuid import uuid4

import pytest

from deploy.local.sample_data import BUSINESS_ID, proposal_json
from services.change_security.domain.filing import (
    has_business_id,
    masked,
    missing,
)
from services.change_security.domain.workforce import workforce_released
from shared.events.v1.change_security import Filing
from shared.screening import has_personal_identity_code
from tests.support.filings import BAD_BUSINESS_ID, TEST_IDENTITY_CODE, proposal, termination_notice


def least() -> Filing:
    return Filing.model_validate({"kind": "negotiation_proposal", "employer": {"business_id": BUSINESS_ID}})


def test_a_filing_with_nothing_but_a_business_id_is_accepted_and_what_is_missing_is_listed() -> None:
    found = missing(least())
    assert "/negotiations/starts_at" in found
    assert "/measures" in found
    assert "/employer/domicile" in found


def test_a_whole_filing_lacks_nothing_and_sites_are_never_missing() -> None:
    assert missing(proposal()) == ()
    assert missing(proposal(sites=[], site_breakdown="unknown")) == ()


def test_the_day_the_proposal_was_given_tells_when_the_personnel_was_informed() -> None:
    negotiations = proposal_json()["negotiations"] | {"personnel_informed_on": None}
    assert missing(proposal(negotiations=negotiations)) == ("/negotiations/personnel_informed_on",)
    assert missing(proposal(negotiations=negotiations | {"given_on": "2026-11-24"})) == ()


def test_a_measure_without_a_number_is_listed_by_its_place() -> None:
    assert missing(proposal(measures=[{"measure": "layoff", "personnel_group": "kaikki"}])) == ("/measures/0/count",)


def test_a_notice_of_terminations_asks_for_number_occupation_and_end() -> None:
    bare = termination_notice(12, terminations=[{}])
    assert missing(bare) == ("/terminations/0/count", "/terminations/0/occupation", "/terminations/0/ends_from")


@pytest.mark.parametrize(
    ("business_id", "good"),
    [(BUSINESS_ID, True), (BAD_BUSINESS_ID, False), ("20774740", True), ("FI20774741", False)],
)
def test_only_a_business_id_whose_check_digit_holds_is_taken(business_id: str, *, good: bool) -> None:
    assert has_business_id(proposal(employer={"business_id": business_id})) is good


@pytest.mark.parametrize(
    "text",
    [
        TEST_IDENTITY_CODE,
        TEST_IDENTITY_CODE.lower(),
        "010101A900R",  # a serial for tests
        "".join(f"\\u{ord(letter):04x}" for letter in TEST_IDENTITY_CODE),
    ],
)
def test_a_personal_identity_code_is_found_wherever_it_stands(text: str) -> None:
    body = f'{{"filing": {{"matters": "koskee henkilöä {text}, ja muita"}}}}'.encode()
    assert json.loads(body)
    assert has_personal_identity_code(body)


@pytest.mark.parametrize("text", ["131052-3080", "2077474-0", "a131052-308T", "131052-308T9"])
def test_what_only_resembles_a_personal_identity_code_is_no_code(text: str) -> None:
    assert not has_personal_identity_code(text.encode())


def test_the_employers_mailbox_is_masked() -> None:
    employer = {"business_id": "2077474-0", "name": "Esimerkkitehdas Oy", "email": "hr@esimerkki.example"}
    hidden = masked(proposal(employer=employer)).employer
    assert (hidden.email, hidden.name) == (None, "Esimerkkitehdas Oy")


def test_counts_of_one_to_four_are_masked_and_others_are_not() -> None:
    hidden = masked(termination_notice(1, 4, 5, 0))
    assert [part.count for part in hidden.terminations] == [None, None, 5, 0]


def test_what_is_released_says_nothing_of_the_employer_and_masks_small_groups() -> None:
    filing = termination_notice(40, 3)
    told = workforce_released(uuid4(), 1, filing)
    assert told is not None
    text = told.model_dump_json()
    assert filing.employer.name is not None
    assert filing.employer.name not in text
    assert filing.employer.business_id not in text
    assert [(part.count, part.masked) for part in told.releases] == [(40, False), (None, True)]


def test_a_filing_that_is_not_public_releases_nothing_and_takes_back_what_was_told() -> None:
    secret = termination_notice(40, not_public=True)
    assert workforce_released(uuid4(), 1, secret) is None
    taken_back = workforce_released(uuid4(), 2, secret)
    assert taken_back is not None
    assert taken_back.releases == ()


def test_a_proposal_releases_nothing() -> None:
    assert workforce_released(uuid4(), 1, proposal()) is None


def test_no_word_that_the_employer_writes_is_published() -> None:
    """Everyone reads the topic: a label, a scheme or a code in the employer's own words would say who it is."""
    words = "Virtasen saha"
    occupations: list[dict[str, str]] = [
        {"scheme": "ISCO-08", "code": "8172", "label": words, "version": words},
        {"scheme": "ESCO", "code": "8172.1", "label": words},
        {"scheme": "ISCO-08", "code": words},
        {"scheme": words, "code": "8172"},
    ]
    terminations = [{"count": 40, "occupation": one, "duties": words, "municipality": "092"} for one in occupations]
    filing = termination_notice(terminations=[*terminations, {"count": 40, "municipality": "Virtala"}])
    event = workforce_released(uuid4(), 1, filing)
    assert event is not None
    assert "Virta" not in event.model_dump_json()
    shown = [(part.occupation.code if part.occupation else None, part.municipality) for part in event.releases]
    assert shown == [("8172", "092"), ("8172.1", "092"), (None, "092"), (None, "092"), (None, None)]
