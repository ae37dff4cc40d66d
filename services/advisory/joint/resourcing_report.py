"""The resourcing review as a report for the management group: HTML and PDF, in Finnish, Swedish and English."""

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from jinja2 import Environment, StrictUndefined

from services.advisory.domain.resources import Compared, Review, Span, Total
from services.advisory.joint.plots import shares_plot, trend_plot

if TYPE_CHECKING:
    from fpdf import FPDF

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
        " kauan siihen meni. Jos jokin tehtävän lukumäärä on alle viisi, tehtävän luvut on peitetty,"
        " eivätkä ne ole mukana yhteissummissa.",
        "totals": "Kaikki tehtävät yhteensä",
        "spans": "Mitä jaksolla oli voimassa",
        "tasks": "Tehtävittäin",
        "share_in_principle": "Sopimuksen osuus",
        "least_years": "Sopimuksen vähimmäis-htv",
        "below_least": "alle vähimmäisen",
        "since": "Alkaen",
        "until": "Asti",
        "person_years": "Htv vuodessa",
        "certainty": "Varmuus",
        "verified": "vahvistettu",
        "unverified": "vahvistamatta",
        "to be checked": "tarkistettava",
        "source": "Peruste",
        "trend": "Toteutunut osuus neljännesvuosittain, hyväksytyt katsaukset",
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
        " inte hur länge det tog. Är ett antal under fem, är uppgiftens alla antal dolda och saknas i summorna."
        " (Svenskan ska granskas av en modersmålstalare.)",
        "totals": "Alla uppgifter sammanlagt",
        "spans": "Vad som gällde under perioden",
        "tasks": "Per uppgift",
        "share_in_principle": "Andel enligt avtalet",
        "least_years": "Minst enligt avtalet, årsverken",
        "below_least": "under det minsta",
        "since": "Från",
        "until": "Till",
        "person_years": "Årsverken per år",
        "certainty": "Säkerhet",
        "verified": "bekräftad",
        "unverified": "obekräftad",
        "to be checked": "ska kontrolleras",
        "source": "Grund",
        "trend": "Faktisk andel per kvartal, godkända översikter",
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
        " not how long it took. Where a count is below five, all counts of the task are masked,"
        " and left out of the sums.",
        "totals": "All tasks together",
        "spans": "What was in force in the period",
        "tasks": "By task",
        "share_in_principle": "Share by the agreement",
        "least_years": "Least person-years by the agreement",
        "below_least": "below the least",
        "since": "From",
        "until": "To",
        "person_years": "Person-years a year",
        "certainty": "Certainty",
        "verified": "verified",
        "unverified": "unverified",
        "to be checked": "to be checked",
        "source": "Source",
        "trend": "Actual share by quarter, approved reviews",
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
_TOTAL_COLUMNS: Final = (
    "authority",
    "agreed_years",
    "agreed_share",
    "share_in_principle",
    "least_years",
    "acts",
    "actual_share",
)
_SPAN_COLUMNS: Final = ("task", "authority", "since", "until", "person_years", "certainty", "source")


@dataclass(frozen=True, slots=True)
class _Table:
    caption: str
    headings: list[str]
    rows: list[list[str]]


def html(review: Review, lang: Lang, quarters: Sequence[Review] = ()) -> str:
    """Return the report as one HTML page that needs nothing else. `quarters`: approved reviews, for the trend."""
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        files("services.advisory").joinpath("data/review.html").read_text(encoding="utf-8")
    )
    return template.render(
        lang=lang,
        words=_WORDS[lang],
        tables=_tables(review, lang, quarters),
        period=f"{review.since.isoformat()} – {review.until.isoformat()}",
        missing=[_WORDS[lang].get(name, name) for name in review.missing_services],
        trend=b64encode(trend_plot(quarters, _WORDS[lang], "svg")).decode() if quarters else None,
        plot=b64encode(shares_plot(review.rows, _WORDS[lang], "svg")).decode(),
    )


def pdf(review: Review, lang: Lang, quarters: Sequence[Review] = ()) -> bytes:
    """Return the report as PDF, with an outline; what a plot shows is said in words."""
    from fpdf import FPDF  # noqa: PLC0415 - brings numpy: 35 MB and a third of a second, for few requests

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
    for table in _tables(review, lang, quarters):
        _put(page, table)
    page.add_page()
    plot = io.BytesIO(shares_plot(review.rows, words, "png"))
    page.image(plot, w=230, alt_text=f"{words['actual_share']}, {words['agreed_share']}")
    if quarters:
        trend = io.BytesIO(trend_plot(quarters, words, "png"))
        page.image(trend, w=230, alt_text=words["trend"])
    page.ln(4)
    for name in ("method", "to_be_checked"):
        page.multi_cell(0, 5, words[name], new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


def _put(page: "FPDF", table: _Table) -> None:
    """Put a table on the page: its heading is in the outline, and repeated where the table goes on."""
    from fpdf.fonts import FontFace  # noqa: PLC0415 - as above

    page.ln(3)
    page.set_font("helvetica", "B", 12)
    page.start_section(_latin(table.caption))
    page.multi_cell(0, 7, _latin(table.caption), new_x="LMARGIN", new_y="NEXT")
    page.set_font("helvetica", "", 9)
    headings = FontFace(emphasis="BOLD", fill_color=(232, 238, 244))
    with page.table(headings_style=headings, text_align="LEFT", line_height=5.5) as made:
        for cells in (table.headings, *table.rows):
            made.row([_latin(cell) for cell in cells])


def _latin(text: str) -> str:
    """Return text with the characters that the PDF's own fonts have."""
    return text.replace("–", "-").encode("latin-1", "replace").decode("latin-1")


def _tables(review: Review, lang: Lang, quarters: Sequence[Review]) -> list[_Table]:
    words = _WORDS[lang]
    return [
        _Table(
            words["totals"],
            [words[name] for name in _TOTAL_COLUMNS],
            [_total(total, lang) for total in review.totals],
        ),
        _Table(words["tasks"], [words[name] for name in _COLUMNS], [_cells(row, lang) for row in review.rows]),
        *([_trend(quarters, lang)] if quarters else []),
        _Table(words["spans"], [words[name] for name in _SPAN_COLUMNS], [_span(span, lang) for span in review.spans]),
    ]


def _number(value: float | None, digits: int, lang: Lang) -> str:
    text = "–" if value is None else f"{value:.{digits}f}"
    return text if lang == "en" else text.replace(".", ",")


def _percent(value: float | None, lang: Lang) -> str:
    return "–" if value is None else f"{_number(100 * value, 1, lang)} %"


def _total(total: Total, lang: Lang) -> list[str]:
    words = _WORDS[lang]
    least = _number(total.least_years, 2, lang)
    return [
        words.get(total.authority, total.authority),
        _number(total.agreed_years, 2, lang),
        _percent(total.agreed_share, lang),
        _percent(total.share_in_principle, lang),
        f"{least} ({words['below_least']})" if total.is_below_least else least,
        str(total.acts),
        _percent(total.actual_share, lang),
    ]


def _trend(quarters: Sequence[Review], lang: Lang) -> _Table:
    words = _WORDS[lang]
    columns = ("since", "until", "authority", "agreed_share", "actual_share")
    rows = [
        [
            review.since.isoformat(),
            review.until.isoformat(),
            words.get(total.authority, total.authority),
            _percent(total.agreed_share, lang),
            _percent(total.actual_share, lang),
        ]
        for review in quarters
        for total in review.totals
    ]
    return _Table(words["trend"], [words[name] for name in columns], rows)


def _span(span: Span, lang: Lang) -> list[str]:
    words = _WORDS[lang]
    return [
        words.get(span.task, span.task),
        words.get(span.authority, span.authority),
        span.since.isoformat(),
        span.until.isoformat(),
        _number(span.person_years, 2, lang),
        words.get(span.certainty, span.certainty),
        span.source,
    ]


def _cells(row: Compared, lang: Lang) -> list[str]:
    words = _WORDS[lang]
    return [
        words.get(row.task, row.task),
        words.get(row.authority, row.authority),
        _number(row.agreed_years, 2, lang),
        _percent(row.agreed_share, lang),
        words["masked"] if row.acts is None else str(row.acts),
        _percent(row.actual_share, lang),
        _number(row.actual_years, 2, lang),
    ]
