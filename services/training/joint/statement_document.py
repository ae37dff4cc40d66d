"""A kept statement of used seats as CSV, and as PDF in Finnish, Swedish or English."""

from typing import Final

from services.training.joint.paper import Paper
from services.training.joint.tables import StatementRow
from shared.events.v1.training import Language
from shared.http.csv import as_csv

_COLUMNS: Final = (
    "group_id",
    "starts_on",
    "authority",
    "offered",
    "seats",
    "dropped_out",
    "no_shows",
    "days",
    "eur",
    "to_be_checked",
)
_WORDS: Final[dict[Language, dict[str, str]]] = {
    "fi": {
        "title": "Laskelma käytetyistä koulutuspaikoista",
        "period": "Ryhmät, jotka alkavat",
        "state": "Tila",
        "kept": "tallennettu",
        "approved": "hyväksytty",
        "replaced": "korvattu",
        "group_id": "Ryhmä",
        "starts_on": "Alkaa",
        "authority": "Kotiviranomainen",
        "offered": "Tarjottu",
        "seats": "Käytetty",
        "dropped_out": "Keskeyttänyt",
        "no_shows": "Ei tullut",
        "days": "Koulutuspäivät",
        "eur": "Euroa (alv 0 %)",
        "to_be_checked": "Tarkistettava",
        "yes": "kyllä",
        "note": "Laskelma ei ole lasku. Hinta on jaettu käytettyjen paikkojen mukaan.",
    },
    "sv": {
        "title": "Sammanställning över använda utbildningsplatser",
        "period": "Grupper som börjar",
        "state": "Status",
        "kept": "sparad",
        "approved": "godkänd",
        "replaced": "ersatt",
        "group_id": "Grupp",
        "starts_on": "Börjar",
        "authority": "Hemmyndighet",
        "offered": "Erbjudna",
        "seats": "Använda",
        "dropped_out": "Avbrutit",
        "no_shows": "Kom inte",
        "days": "Utbildningsdagar",
        "eur": "Euro (moms 0 %)",
        "to_be_checked": "Ska kontrolleras",
        "yes": "ja",
        "note": "Sammanställningen är ingen faktura. Priset är delat enligt använda platser."
        " (Svenskan ska granskas av en modersmålstalare.)",
    },
    "en": {
        "title": "Statement of used training seats",
        "period": "Groups that start",
        "state": "State",
        "kept": "kept",
        "approved": "approved",
        "replaced": "replaced",
        "group_id": "Group",
        "starts_on": "Starts",
        "authority": "Home authority",
        "offered": "Offered",
        "seats": "Used",
        "dropped_out": "Dropped out",
        "no_shows": "No-shows",
        "days": "Training days",
        "eur": "Euros (VAT 0 %)",
        "to_be_checked": "To be checked",
        "yes": "yes",
        "note": "A statement, no invoice. The price is divided by used seats.",
    },
}


def csv_of(statement: StatementRow) -> bytes:
    """Return a statement as CSV."""
    return as_csv(_COLUMNS, ([getattr(line, name) for name in _COLUMNS] for line in statement.lines))


def pdf(statement: StatementRow, lang: Language) -> bytes:
    """Return a statement as PDF. The same statement in the same state gives the same file."""
    words = _WORDS[lang]
    paper = Paper(words["title"], lang, statement.made_at)
    paper.values(
        [
            (words["period"], f"{statement.since.isoformat()} – {statement.until.isoformat()}"),
            (words["state"], words[statement.state]),
        ]
    )
    rows = [[words[name] for name in _COLUMNS]]
    rows += [[_cell(getattr(line, name), words) for name in _COLUMNS] for line in statement.lines]
    paper.table(rows)
    paper.paragraph(words["note"])
    return paper.pdf()


def _cell(value: object, words: dict[str, str]) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return words["yes"] if value else ""
    return str(value)
