"""The resourcing review as a report for the management group: HTML and PDF, in Finnish, Swedish and English."""

import io
from base64 import b64encode
from collections.abc import Sequence
from datetime import date
from importlib.resources import files
from typing import Final, Literal

from fpdf import FPDF
from fpdf.fonts import FontFace
from jinja2 import Environment, StrictUndefined

from services.advisory.domain.resources import Compared

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
        "method": "Toteutunut osuus lasketaan palvelujen omista käsittelyistä; se kertoo, kuka työn teki, ei kuinka kauan"
        " siihen meni. Alle viiden lukumäärät on peitetty.",
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
        "method": "Den faktiska andelen räknas på tjänsternas egna handläggningar; den visar vem som gjorde arbetet, inte hur"
        " länge det tog. Antal under fem är dolda. (Svenskan ska granskas av en modersmålstalare.)",
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
        "method": "The actual share is counted from the services' own acts of handling; it says who did the work, not how long"
        " it took. Counts below five are masked.",
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


def shares_plot(rows: Sequence[Compared], lang: Lang, kind: Literal["svg", "png"]) -> bytes:
    """Return a plot of agreed and actual shares by task and authority."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second that only the process which draws pays
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    words = _WORDS[lang]
    shown = list(rows)[::-1]
    names = [f"{words.get(one.task, one.task)} · {words.get(one.authority, one.authority)}" for one in shown]
    figure = Figure(figsize=(9, 1.4 + 0.3 * len(shown)), layout="constrained")
    axes = figure.subplots()
    axes.barh(names, [one.actual_share or 0 for one in shown], color="#1f5a8a", label=words["actual_share"])
    axes.plot(
        [one.agreed_share for one in shown], names, "|", color="#c8501e", markersize=14, label=words["agreed_share"]
    )
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(frameon=False, fontsize=8, loc="outside upper center", ncols=2)
    target = io.BytesIO()
    figure.savefig(target, format=kind, dpi=140, metadata={"Date": None} if kind == "svg" else None)
    return target.getvalue()


def html(rows: Sequence[Compared], since: date, until: date, missing: Sequence[str], lang: Lang) -> str:
    """Return the report as one HTML page that needs nothing else."""
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        files("services.advisory").joinpath("data/review.html").read_text(encoding="utf-8")
    )
    return template.render(
        lang=lang,
        words=_WORDS[lang],
        columns=_COLUMNS,
        rows=[_cells(one, lang) for one in rows],
        period=f"{since.isoformat()} – {until.isoformat()}",
        missing=[_WORDS[lang].get(name, name) for name in missing],
        plot=b64encode(shares_plot(rows, lang, "svg")).decode(),
    )


def pdf(rows: Sequence[Compared], since: date, until: date, missing: Sequence[str], lang: Lang) -> bytes:
    """Return the report as PDF."""
    words = _WORDS[lang]
    page = FPDF(orientation="landscape", format="A4")
    page.set_lang(lang)
    page.set_title(words["title"])
    page.add_page()
    page.set_font("helvetica", "B", 16)
    page.multi_cell(0, 9, words["title"], new_x="LMARGIN", new_y="NEXT")
    page.set_font("helvetica", "", 10)
    page.multi_cell(
        0, 6, f"{words['period']}: {since.isoformat()} - {until.isoformat()}", new_x="LMARGIN", new_y="NEXT"
    )
    if missing:
        named = ", ".join(words.get(name, name) for name in missing)
        page.multi_cell(0, 6, f"{words['missing']}: {named}", new_x="LMARGIN", new_y="NEXT")
    page.ln(2)
    page.set_font("helvetica", "", 9)
    with page.table(
        headings_style=FontFace(emphasis="BOLD", fill_color=(232, 238, 244)), text_align="LEFT", line_height=5.5
    ) as table:
        table.row([words[name] for name in _COLUMNS])
        for one in rows:
            table.row([cell.replace("–", "-") for cell in _cells(one, lang)])
    page.add_page()
    page.image(io.BytesIO(shares_plot(rows, lang, "png")), w=230)
    page.ln(4)
    for name in ("method", "to_be_checked"):
        page.multi_cell(0, 5, words[name], new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


def _cells(one: Compared, lang: Lang) -> list[str]:
    words = _WORDS[lang]

    def number(value: float | None, digits: int) -> str:
        text = "–" if value is None else f"{value:.{digits}f}"
        return text if lang == "en" else text.replace(".", ",")

    def percent(value: float | None) -> str:
        return "–" if value is None else f"{number(100 * value, 1)} %"

    return [
        words.get(one.task, one.task),
        words.get(one.authority, one.authority),
        number(one.agreed_years, 2),
        percent(one.agreed_share),
        words["masked"] if one.acts is None else str(one.acts),
        percent(one.actual_share),
        number(one.actual_years, 2),
    ]
