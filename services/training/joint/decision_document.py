"""A selection decision as a document in Finnish, Swedish or English, with the appeal instruction.

Who the applicant is the own city alone knows: the document names the application and its opaque reference.
"""

import re
from typing import Final

from services.training.domain.appeal import AppealInstruction
from services.training.domain.procurement import LABELS
from services.training.joint.paper import Paper
from services.training.joint.tables import ApplicationRow, DecisionRow
from shared.calendar import local_day
from shared.events.v1.training import Course, Labels, Language

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "fi": {
        "title": "Päätös opiskelijavalinnasta",
        "offered": "Hakija on valittu: hänelle tarjotaan paikkaa.",
        "rejected": "Hakijaa ei ole valittu.",
        "course": "Koulutus",
        "date": "Päätöspäivä",
        "application": "Hakemus",
        "reference": "Hakijan viite",
        "points": "Pisteet",
        "competent": "Toimivaltainen viranomainen",
        "acting": "Päätöksen tekijä",
        "rule": "kirjallinen valintasääntö",
        "grounds": "Perustelut",
        "by_points": "Pisteet ratkaisivat: valintaperusteet ja jonotusaika.",
        "by_quota": "Kiintiö ratkaisi: viranomaisen osuus paikoista.",
        "own_seats": "Viranomaisen kiintiö ryhmässä: {seats} paikkaa ({authority}).",
        "pooled": "Paikka on yhteisestä osuudesta: pisteet ja jonotusaika yhteisessä jonossa.",
        "quota_to_be_checked": "Tarkistettava: kiintiöstä ei ole kirjattu päätöstä.",
        "formed": "Hakija sopii ryhmään: kieli {language}, kunta {municipality}, voi aloittaa viimeistään {day}.",
        "selected": "Virkailijan valinta: {reason}",
        "appeal": "Muutoksenhakuohje",
        "to_be_checked": "TARKISTETTAVA: ohjetta ei ole vahvistettu.",
    },
    "sv": {
        "title": "Beslut om antagning av studerande",
        "offered": "Den sökande har antagits och erbjuds en plats.",
        "rejected": "Den sökande har inte antagits.",
        "course": "Utbildning",
        "date": "Beslutsdag",
        "application": "Ansökan",
        "reference": "Den sökandes referens",
        "points": "Poäng",
        "competent": "Behörig myndighet",
        "acting": "Beslutsfattare",
        "rule": "den skriftliga antagningsregeln",
        "grounds": "Motivering",
        "by_points": "Poängen avgjorde: antagningsgrunderna och kötiden.",
        "by_quota": "Kvoten avgjorde: myndighetens andel av platserna.",
        "own_seats": "Myndighetens kvot i gruppen: {seats} platser ({authority}).",
        "pooled": "Platsen hör till den gemensamma andelen: poäng och kötid i den gemensamma kön.",
        "quota_to_be_checked": "Ska kontrolleras: inget beslut om kvoten har antecknats.",
        "formed": "Den sökande passar i gruppen: språk {language}, kommun {municipality}, kan börja senast {day}.",
        "selected": "Handläggarens val: {reason}",
        "appeal": "Anvisning om ändringssökande",
        "to_be_checked": "SKA KONTROLLERAS: anvisningen är inte bekräftad."
        " (Svenskan ska granskas av en modersmålstalare.)",
    },
    "en": {
        "title": "Decision on the selection of students",
        "offered": "The applicant is selected and is offered a seat.",
        "rejected": "The applicant is not selected.",
        "course": "Training",
        "date": "Date of the decision",
        "application": "Application",
        "reference": "The applicant's reference",
        "points": "Points",
        "competent": "Competent authority",
        "acting": "Decided by",
        "rule": "the written rule of selection",
        "grounds": "Grounds",
        "by_points": "The points decided: the criteria of selection and the queue time.",
        "by_quota": "The quota decided: the authority's share of the seats.",
        "own_seats": "The authority's quota in the group: {seats} seats ({authority}).",
        "pooled": "The seat is a pooled one: points and queue time in the joint queue.",
        "quota_to_be_checked": "To be checked: no decision on the quota is recorded.",
        "formed": "The applicant fits the group: language {language}, municipality {municipality}, can start by {day}.",
        "selected": "Selected by an officer: {reason}",
        "appeal": "Appeal instruction",
        "to_be_checked": "TO BE CHECKED: the instruction is not verified.",
    },
}
_SELECTED: Final = re.compile(r"selected by an officer: (?P<reason>.*)", re.DOTALL)
_OWN_SEATS: Final = re.compile(r"within the (?P<seats>\d+) seats of (?P<authority>\w+)")
_FORMED: Final = re.compile(r"speaks (?P<language>\w+), travels to (?P<municipality>\d+), can start by (?P<day>[\d-]+)")
"""How the reasons of the written rule are worded: see `domain.seats` and `domain.formation`."""
_AUTHORITIES: Final = {
    "helsinki": Labels(fi="Helsingin kaupunki", sv="Helsingfors stad", en="City of Helsinki"),
    "espoo": Labels(fi="Espoon kaupunki", sv="Esbo stad", en="City of Espoo"),
    "vantaa": Labels(fi="Vantaan kaupunki", sv="Vanda stad", en="City of Vantaa"),
}


def pdf(application: ApplicationRow, decision: DecisionRow, course: Course, instruction: AppealInstruction) -> bytes:
    """Return the decision as PDF, in the language of the instruction."""
    lang = instruction.lang
    words = _WORDS[lang]
    paper = Paper(words["title"], lang, decision.at)
    acting = _authority(decision.acting_authority, lang) if decision.acting_authority else words["rule"]
    paper.values(
        [
            (words["course"], f"{_in(LABELS[course.kind], lang)}: {_in(course.title, lang)}"),
            (words["date"], local_day(decision.at).isoformat()),
            (words["application"], str(application.application_id)),
            (words["reference"], application.reference),
            (words["points"], str(application.points)),
            (words["competent"], _authority(decision.competent_authority or application.office, lang)),
            (words["acting"], acting),
        ]
    )
    paper.heading(words[decision.act])
    paper.heading(words["grounds"])
    for ground in _grounds(decision.reason, lang):
        paper.paragraph(ground)
    paper.heading(words["appeal"])
    paper.paragraph(instruction.text)
    if instruction.to_be_checked:
        paper.paragraph(words["to_be_checked"])
    return paper.pdf()


def _grounds(reason: str, lang: Language) -> list[str]:
    """Return the written rule's reason in a language; what an officer has written stands as it was written."""
    words = _WORDS[lang]
    if selected := _SELECTED.fullmatch(reason):
        return [words["selected"].format(reason=selected["reason"])]
    grounds = [words[f"by_{basis}"] for basis in ("points", "quota") if f"the {basis} decided" in reason]
    if not grounds:
        return [reason]
    if seats := _OWN_SEATS.search(reason):
        grounds.append(words["own_seats"].format(seats=seats["seats"], authority=_authority(seats["authority"], lang)))
    if "a pooled seat" in reason:
        grounds.append(words["pooled"])
    if formed := _FORMED.search(reason):
        grounds.append(words["formed"].format(**formed.groupdict()))
    if "no decision on the quota" in reason:
        grounds.append(words["quota_to_be_checked"])
    return grounds


def _authority(name: str, lang: Language) -> str:
    return _in(_AUTHORITIES[name], lang) if name in _AUTHORITIES else name


def _in(labels: Labels, lang: Language) -> str:
    return {"fi": labels.fi, "sv": labels.sv, "en": labels.en}[lang] or labels.fi
