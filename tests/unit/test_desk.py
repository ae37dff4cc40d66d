"""The desk's own decisions: what changed between revisions, and that every text stands in every language."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from deploy.desk.cases import differences
from deploy.desk.translations import TEXTS, translated
from services.advisory.domain.contact import ContactState
from services.change_security.domain.case import CaseAct, CaseState, StepState
from shared.events.v1.advisory import ContactChannel, ContactTopic
from shared.events.v1.change_security import (
    DeclineReason,
    FilingKind,
    HandlingMode,
    Measure,
    Outcome,
    PlanStepState,
)

TEMPLATES = list((Path(__file__).parents[2] / "deploy/desk/templates").glob("*.html"))


def test_what_changed_is_told_place_by_place() -> None:
    before = {"employer": {"name": "A", "phone": None}, "sites": [{"municipality": "091", "affected": 3}]}
    after = {"employer": {"name": "A", "phone": "09"}, "sites": [{"municipality": "091", "affected": 0}]}
    assert differences(before, after) == [("/employer/phone", None, "09"), ("/sites/1/affected", 3, 0)]
    assert differences(before, before) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_text_of_a_template_is_in_the_catalogue(template: Path) -> None:
    used = set(re.findall(r"\bt\.(\w+)", template.read_text()))
    assert used <= TEXTS.keys()


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_no_text_is_empty_in_any_language(lang: str) -> None:
    for name, text in translated(lang).items():  # type: ignore[arg-type]
        for words in text.values() if isinstance(text, dict) else [text]:
            assert words.strip(), name


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("kinds", FilingKind),
        ("measures", Measure),
        ("modes", HandlingMode),
        ("case_states", CaseState),
        ("outcomes", Outcome),
        ("decline_reasons", DeclineReason),
        ("step_states", StepState),
        ("plan_states", PlanStepState),
        ("contact_states", ContactState),
        ("topics", ContactTopic),
        ("channels", ContactChannel),
        ("case_acts", CaseAct),
    ],
)
def test_every_value_that_an_office_answers_has_a_text(name: str, values: type[StrEnum]) -> None:
    texts = TEXTS[name]
    assert isinstance(texts, dict)
    assert texts.keys() == {value.value for value in values}
