"""The resourcing review as a report for the management group: HTML and PDF, in Finnish, Swedish and English."""

import io
from base64 import b64encode
from importlib.resources import files
from typing import Final, Literal

from jinja2 import Environment, StrictUndefined

from services.advisory.domain.resources import Compared, Review
from services.advisory.joint.plots import shares_plot

Lang = Literal["fi", "sv", "en"]

_WORDS: Final[dict[Lang, dict[str, str]]] = {
    "fi": {
        "title": "Yhteisten työllisyyspalvelujen resurssikatsaus",
        "period": "Tarkastelujakso",
        "task": "Tehtävä",
        "authority": "Viranomainen",
        "agreed_years": "Sovittu htv",
        "agreed_share": "Sovittu osuus",
        "acts": "Käsittelyt",
        "actual_share": "Toteutunut osuus",
        "actual_years": "Osuutta vastaava htv",
        "masked": "peitetty",
        "missing": "Ei vastannut",
        "to_be_checked": "Sovitut htv:t ovat tehtävittäin vahvistamatta: tarkistettava.",
        "method": "Toteutunut osuus lasketaan palvelujen omista käsittelyistä; se kertoo, kuka työn teki, ei kuinka"
        " kauan siihen meni. Alle viiden lukumäärät on peitetty.",
        "advisory": "Neuvontapalvelu",
        "placement": "Julkinen työnvälitys",
        "change_security": "Muutosturva",
        "training": "Työvoimakoulutus",
        "coaching": "Valmennus",
        "helsinki": "Helsinki",
        "espoo": "Espoo (myös Kauniainen)",
        "vantaa": "Vantaa",
    },
    "sv": {
        "title": "Resursöversikt för de gemensamma sysselsättningstjänsterna",
        "period": "Period",
        "task": "Uppgift",
        "authority": "Myndighet",
        "agreed_years": "Avtalade årsverken",
        "agreed_share": "Avtalad andel",
        "acts": "Handläggningar",
        "actual_share": "Faktisk andel",
        "actual_years": "Årsverken enligt andelen",
        "masked": "dold",
        "missing": "Har inte svarat",
        "to_be_checked": "De avtalade årsverkena är inte bekräftade för varje uppgift: ska kontrolleras.",
        "method": "Den faktiska andelen räknas på tjänsternas egna handläggningar; den visar vem som gjorde arbetet,"
        " inte hur länge det tog. Antal under fem är dolda. (Svenskan ska granskas av en modersmålstalare.)",
        "advisory": "Rådgivning",
        "placement": "Offentlig arbetsförmedling",
        "change_security": "Omställningsskydd",
        "training": "Arbetskraftsutbildning",
        "coaching": "Träning",
        "helsinki": "Helsingfors",
        "espoo": "Esbo (även Grankulla)",
        "vantaa": "Vanda",
    },
    "en": {
        "title": "Resourcing review of the joint employment services",
        "period": "Period",
        "task": "Task",
        "authority": "Authority",
        "agreed_years": "Agreed person-years",
        "agreed_share": "Agreed share",
        "acts": "Acts of handling",
        "actual_share": "Actual share",
        "actual_years": "Person-years by share",
        "masked": "masked",
        "missing": "Has not answered",
        "to_be_checked": "The agreed person-years are not verified task by task: to be checked.",
        "method": "The actual share is counted from the services' own acts of handling; it says who did the work,"
        " not how long it took. Counts below five are masked.",
        "advisory": "Advisory",
        "placement": "Public employment exchange",
        "change_security": "Change security",
        "training": "Labour-market training",
        "coaching": "Coaching",
        "helsinki": "Helsinki",
        "espoo": "Espoo (also for Kauniainen)",
        "vantaa": "Vantaa",
    },
}
_COLUMNS: Final = ("task", "authority", "agreed_years", "agreed_share", "acts", "actual_share", "actual_years")


def html(review: Review, lang: Lang) -> str:
    """Return the report as one HTML page that needs nothing else."""
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        files("services.advisory").joinpath("data/review.html").read_text(encoding="utf-8")
    )
    return template.render(
        lang=lang,
        words=_WORDS[lang],
        columns=_COLUMNS,
        rows=[_cells(row, lang) for row in review.rows],
        period=f"{review.since.isoformat()} – {review.until.isoformat()}",
        missing=[_WORDS[lang].get(name, name) for name in review.missing_services],
        plot=b64encode(shares_plot(review.rows, _WORDS[lang], "svg")).decode(),
    )


def pdf(review: Review, lang: Lang) -> bytes:
    """Return the report as PDF."""
    from fpdf import FPDF  # noqa: PLC0415 - brings numpy: 35 MB and a third of a second, for few requests
    from fpdf.fonts import FontFace  # noqa: PLC0415 - as above

    words = _WORDS[lang]
    page = FPDF(orientation="landscape", format="A4")
    page.set_lang(lang)
    page.set_title(words["title"])
    page.add_page()
    page.set_font("helvetica", "B", 16)
    page.multi_cell(0, 9, words["title"], new_x="LMARGIN", new_y="NEXT")
    page.set_font("helvetica", "", 10)
    period = f"{review.since.isoformat()} - {review.until.isoformat()}"
    page.multi_cell(0, 6, f"{words['period']}: {period}", new_x="LMARGIN", new_y="NEXT")
    if review.missing_services:
        named = ", ".join(words.get(name, name) for name in review.missing_services)
        page.multi_cell(0, 6, f"{words['missing']}: {named}", new_x="LMARGIN", new_y="NEXT")
    page.ln(2)
    page.set_font("helvetica", "", 9)
    with page.table(
        headings_style=FontFace(emphasis="BOLD", fill_color=(232, 238, 244)), text_align="LEFT", line_height=5.5
    ) as table:
        table.row([words[name] for name in _COLUMNS])
        for row in review.rows:
            table.row([cell.replace("–", "-") for cell in _cells(row, lang)])
    page.add_page()
    page.image(io.BytesIO(shares_plot(review.rows, words, "png")), w=230)
    page.ln(4)
    for name in ("method", "to_be_checked"):
        page.multi_cell(0, 5, words[name], new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


def _cells(row: Compared, lang: Lang) -> list[str]:
    words = _WORDS[lang]

    def number(value: float | None, digits: int) -> str:
        text = "–" if value is None else f"{value:.{digits}f}"
        return text if lang == "en" else text.replace(".", ",")

    def percent(value: float | None) -> str:
        return "–" if value is None else f"{number(100 * value, 1)} %"

    return [
        words.get(row.task, row.task),
        words.get(row.authority, row.authority),
        number(row.agreed_years, 2),
        percent(row.agreed_share),
        words["masked"] if row.acts is None else str(row.acts),
        percent(row.actual_share),
        number(row.actual_years, 2),
    ]
