"""Every message, step and warning has its text in the three service languages."""

import ast
import re
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

import services.change_security.domain
from services.change_security import data
from services.change_security.domain.case import CheckItem, Step, check_message
from services.change_security.domain.ledger import Awaited, Standing
from services.change_security.domain.routing import Why
from services.change_security.domain.texts import MEASURES, TEXTS, Text, message
from shared.events.v1.change_security import AskedBecause, LegalGround, Measure

DOMAIN = Path(services.change_security.domain.__file__).parent


def used_codes() -> set[str]:
    """The codes given to `message` in the domain, and the names of clocks."""
    return {
        node.args[0].value
        for path in DOMAIN.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"message", "StatutoryClock"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def parameters(template: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", template))


@pytest.mark.parametrize("code", [*TEXTS, *MEASURES])
def test_every_text_has_three_languages_with_the_same_parameters(code: str) -> None:
    text = TEXTS[code] if code in TEXTS else MEASURES[Measure(code)]
    assert all(words.strip() for words in text)
    assert len({frozenset(parameters(words)) for words in text}) == 1
    assert len(set(text)) == 3


def test_every_step_and_every_measure_has_a_text() -> None:
    assert set(Step) <= set(TEXTS)
    assert set(MEASURES) == set(Measure)


def test_every_text_is_used_and_every_code_has_a_text() -> None:
    layoff_fields = {"layoff_days_missing", "layoff_ground_missing"}  # made from the field's name
    shown_with_their_codes = (
        {f"overdue_{awaited}" for awaited in get_args(Awaited)}
        | {f"asked_{because}" for because in AskedBecause}
        | {f"standing_{standing}" for standing in Standing}
        | {"ready_to_close"}
        | set(get_args(Why))
    )
    by_their_enums = set(Step) | set(CheckItem) | set(LegalGround)
    assert used_codes() | layoff_fields | shown_with_their_codes | by_their_enums == set(TEXTS)


def test_a_measure_is_named_in_each_language() -> None:
    assert message("earlier_number_missing", day="2026-11-01", measure="layoff").text == Text(
        "Työnantajan aiemman ilmoituksen (2026-11-01, lomautus) tieto puuttuu: määrä, kesto tai peruste.",
        "En uppgift i arbetsgivarens tidigare anmälan (2026-11-01, permittering) saknas: antal, längd eller grund.",
        "The employer's earlier filing (2026-11-01, lay-off) lacks a number, a length or a ground.",
    )


@pytest.mark.parametrize("item", CheckItem)
def test_a_checklist_item_has_no_parameter_left_open(item: CheckItem) -> None:
    assert all("{" not in words for words in check_message(item, data.rules(), date(2026, 11, 24)).text)
