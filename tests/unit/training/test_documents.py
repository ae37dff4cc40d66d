"""Selection decisions as documents, with an appeal instruction that is to be checked."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from services.training import data
from services.training.domain.appeal import AppealInstruction, instruction_on
from services.training.domain.formation import form
from services.training.domain.seats import Applicant, Slot, next_offers, selected
from services.training.joint import decision_document
from services.training.joint.tables import ApplicationRow, DecisionRow
from shared.errors import UnknownError
from shared.events.v1.training import ApplicationState, Course, CourseKind, Labels, Language

DAY = date(2026, 11, 25)
AT = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)
APPLICATION = ApplicationRow(
    application_id=UUID(int=1),
    course_id=UUID(int=2),
    office="espoo",
    reference="q3x7k2m5",
    points=72,
    queued_at=AT,
    languages=["fi"],
    municipality="049",
    travel=["049"],
    can_start_from=DAY,
    state=ApplicationState.OFFERED,
    version=2,
    reason="",
)
COURSE = Course(kind=CourseKind.REKRY, title=Labels(fi="Kokki – yö", sv="Kock", en="Cook Łódź"))


def decision(act: str = "offered", reason: str = "the quota decided: within the 1 seats of espoo") -> DecisionRow:
    return DecisionRow(
        decision_id=7,
        subject_id=UUID(int=1),
        act=act,
        reason=reason,
        actor="rule",
        competent_authority="espoo",
        acting_authority=None,
        at=AT,
    )


class Recorded:
    """Stands for the paper: keeps what is written on it."""

    def __init__(self, title: str, lang: str, made_at: datetime) -> None:
        self.lines = [title, lang, made_at.isoformat()]

    def values(self, named: list[tuple[str, str]]) -> None:
        self.lines += [f"{name}: {value}" for name, value in named]

    def heading(self, text: str) -> None:
        self.lines.append(text)

    def paragraph(self, text: str) -> None:
        self.lines.append(text)

    def pdf(self) -> bytes:
        return "\n".join(self.lines).encode()


def text(monkeypatch: pytest.MonkeyPatch, made: DecisionRow, lang: Language) -> str:
    monkeypatch.setattr(decision_document, "Paper", Recorded)
    instruction = instruction_on(data.appeal_instructions(), lang, DAY)
    return decision_document.pdf(APPLICATION, made, COURSE, instruction).decode()


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "fi",
            [
                "Kiintiö ratkaisi",
                "1 paikkaa (Espoon kaupunki)",
                "Tarkistettava: kiintiöstä",
                "Hakija on valittu",
                "Espoon kaupunki",
                "Muutoksenhakuohje",
                "TARKISTETTAVA",
            ],
        ),
        (
            "sv",
            [
                "Kvoten avgjorde",
                "1 platser (Esbo stad)",
                "Ska kontrolleras: inget beslut",
                "har antagits",
                "Esbo stad",
                "ändringssökande",
                "SKA KONTROLLERAS",
            ],
        ),
        (
            "en",
            [
                "The quota decided",
                "1 seats (City of Espoo)",
                "To be checked: no decision on the quota",
                "is selected",
                "City of Espoo",
                "Appeal instruction",
                "TO BE CHECKED",
            ],
        ),
    ],
)
def test_a_decision_says_what_why_and_by_whom_in_each_language(
    monkeypatch: pytest.MonkeyPatch, lang: Language, words: list[str]
) -> None:
    start = date(2026, 12, 1)
    slot = Slot("a", "fi", "092", start, 1, 2)
    queue = [Applicant(UUID(int=1), "vantaa", 90, AT), Applicant(UUID(int=2), "espoo", 10, AT)]
    shares = {"vantaa": 0, "espoo": 50, "helsinki": 0}
    ((_, reason), *_rest) = next_offers(2, ["vantaa"], queue, shares, is_verified=False)
    shown = text(monkeypatch, decision(reason=reason), lang)
    for word in [*words, "q3x7k2m5", "72", "2026-11-26"]:
        assert word in shown
    assert ("within the" in shown, "by points and queue time" in shown) == (False, False)
    fitting = [Applicant(UUID(int=1), "espoo", 9, AT, frozenset({"fi"}), frozenset({"092"}), DAY)]
    (placement,) = form(fitting, [slot], shares).placements
    formed = text(monkeypatch, decision(reason=f"formed group: {placement.reason}"), lang)
    assert ("fi, " in formed, "092" in formed, start.isoformat() in formed) == (True, True, True)
    assert ("speaks" in formed, "formed group" in formed) == (False, False)
    assert "työkokemus" in text(monkeypatch, decision(reason=selected("työkokemus")), lang)


def test_a_rejection_gives_the_officers_grounds(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = text(monkeypatch, decision("rejected", "ehdot eivät täyty"), "fi")
    assert "Hakijaa ei ole valittu." in shown
    assert "ehdot eivät täyty" in shown
    assert "ratkaisi" not in shown


def test_the_same_decision_gives_the_same_pdf_with_letters_outside_latin_1() -> None:
    instruction = instruction_on(data.appeal_instructions(), "en", DAY)
    made = [decision_document.pdf(APPLICATION, decision(), COURSE, instruction) for _ in "ab"]
    assert made[0] == made[1]
    assert made[0].startswith(b"%PDF")


def test_an_appeal_instruction_is_the_one_of_the_decisions_day() -> None:
    old = AppealInstruction("fi", "vanha", date(2025, 1, 1), date(2026, 12, 31), to_be_checked=True)
    new = AppealInstruction("fi", "uusi", date(2027, 1, 1), None, to_be_checked=False)
    assert instruction_on([old, new], "fi", date(2026, 12, 31)).text == "vanha"
    assert instruction_on([old, new], "fi", date(2027, 1, 1)).text == "uusi"
    with pytest.raises(UnknownError):
        instruction_on([old, new], "sv", DAY)


def test_every_shipped_instruction_is_to_be_checked() -> None:
    shipped = data.appeal_instructions()
    assert {one.lang for one in shipped} == {"fi", "sv", "en"}
    assert all(one.to_be_checked for one in shipped)
