"""Every text of this service's answers in the service languages, by code. Swedish is to be reviewed by a native
speaker.

Answers carry the code and its parameters beside the texts, so that another system can use its own words.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from shared.events.v1.change_security import Measure


@dataclass(frozen=True, slots=True)
class Text:
    """One text in the three service languages. Parameters stand in braces."""

    fi: str
    sv: str
    en: str

    def __iter__(self) -> Iterator[str]:
        """Yield Finnish, Swedish, English."""
        return iter((self.fi, self.sv, self.en))


@dataclass(frozen=True, slots=True)
class Message:
    """Something said to the reader: a code with its parameters, and where in the filing it belongs."""

    code: str
    parameters: tuple[tuple[str, str | int], ...] = ()
    pointer: str | None = None

    @property
    def text(self) -> Text:
        """The message in the three languages. A measure is named in each language."""
        given = dict(self.parameters)
        measure = MEASURES[Measure(str(given["measure"]))] if "measure" in given else None
        fi, sv, en = (
            template.format(**{**given, "measure": word} if word else given)
            for template, word in zip(TEXTS[self.code], measure or (None, None, None), strict=True)
        )
        return Text(fi, sv, en)


def message(code: str, *, pointer: str | None = None, **parameters: str | int) -> Message:
    """Make a message."""
    return Message(code, tuple(parameters.items()), pointer)


MEASURES: Final[Mapping[Measure, Text]] = {
    Measure.TERMINATION: Text("irtisanominen", "uppsägning", "termination"),
    Measure.LAYOFF: Text("lomautus", "permittering", "lay-off"),
    Measure.PART_TIME: Text("osa-aikaistaminen", "överföring till anställning på deltid", "reduction to part-time"),
    Measure.ESSENTIAL_TERM_CHANGE: Text(
        "olennaisen ehdon yksipuolinen muuttaminen",
        "ensidig ändring av ett väsentligt villkor",
        "unilateral change of an essential term",
    ),
}

_CLOCKS: Final[Mapping[str, Text]] = {
    "earliest_end_of_negotiations": Text(
        "Muutosneuvottelujen vähimmäisaika päättyy aikaisintaan",
        "Minimitiden för omställningsförhandlingarna löper ut tidigast",
        "Earliest end of the minimum negotiation time",
    ),
    "earliest_end_of_employment": Text(
        "Työsuhteet voivat päättyä aikaisintaan",
        "Anställningarna kan upphöra tidigast",
        "Earliest end of employment",
    ),
}

_WARNINGS: Final[Mapping[str, Text]] = {
    "filed_after_negotiations_began": Text(
        "Ilmoitus saapui neuvottelujen alkamisen jälkeen.",
        "Anmälan inkom efter att förhandlingarna hade inletts.",
        "The filing arrived after the negotiations began.",
    ),
    "personnel_informed_late": Text(
        "Henkilöstölle ilmoitettiin alle {days} kalenteripäivää ennen neuvottelujen alkua.",
        "Personalen informerades mindre än {days} kalenderdagar innan förhandlingarna inleddes.",
        "The personnel was informed less than {days} calendar days before the negotiations.",
    ),
    "overdue_stored": Text(
        "Viranomaisen järjestelmä ei ole määräajassa vahvistanut saaneensa ilmoitusta.",
        "Myndighetens system har inte inom utsatt tid bekräftat att det har tagit emot anmälan.",
        "The authority's system has not confirmed in time that it has the notice.",
    ),
    "overdue_acknowledged": Text(
        "Viranomainen ei ole kuitannut ilmoitusta määräajassa.",
        "Myndigheten har inte kvitterat anmälan inom utsatt tid.",
        "The authority has not acknowledged the notice in time.",
    ),
}

_ASKED: Final[Mapping[str, Text]] = {
    "asked_assigned": Text(
        "Ilmoitus koskee viranomaista: kuitatkaa se, tai ilmoittakaa, ettei se kuulu teille.",
        "Anmälan berör myndigheten: kvittera den, eller meddela att den inte hör till er.",
        "The notice concerns the authority: acknowledge it, or say that it is not its own.",
    ),
    "asked_revised": Text(
        "Työnantaja on muuttanut viranomaista koskevia tietoja: kuitatkaa uusi versio.",
        "Arbetsgivaren har ändrat uppgifter som gäller myndigheten: kvittera den nya versionen.",
        "The employer has changed what concerns the authority: acknowledge the new revision.",
    ),
    "asked_insisted": Text(
        "Koordinaattori katsoo asian kuuluvan viranomaiselle: kuitatkaa, tai torjukaa uudelleen.",
        "Koordinatorn anser att ärendet hör till myndigheten: kvittera, eller avböj på nytt.",
        "A coordinator holds that the matter is the authority's own: acknowledge it, or decline anew.",
    ),
    "asked_reopened": Text(
        "Ilmoitus on avattu uudelleen: kuitatkaa se uudelleen.",
        "Anmälan har öppnats på nytt: kvittera den på nytt.",
        "The notice is open again: acknowledge it again.",
    ),
    "asked_unmerged": Text(
        "Yhdistetyt ilmoitukset on erotettu: kuitatkaa tämä uudelleen.",
        "De sammanslagna anmälningarna har skilts åt: kvittera denna på nytt.",
        "The merged notices are two again: acknowledge this one again.",
    ),
}

_STANDING: Final[Mapping[str, Text]] = {
    "standing_store": Text(
        "Odottaa viranomaisen järjestelmää.", "Väntar på myndighetens system.", "Waits for the authority's system."
    ),
    "standing_officer": Text(
        "Odottaa viranomaisen kuittausta.", "Väntar på myndighetens kvittering.", "Waits for an officer's answer."
    ),
    "standing_outside": Text(
        "Odottaa alueen ulkopuolisen viranomaisen vahvistusta.",
        "Väntar på bekräftelse från en myndighet utanför regionen.",
        "Waits for an authority outside the region to confirm.",
    ),
    "standing_coordinator": Text(
        "Viranomainen on torjunut osansa: odottaa koordinaattoria.",
        "Myndigheten har avböjt sin del: väntar på koordinatorn.",
        "The authority has declined its part: waits for a coordinator.",
    ),
    "standing_handling": Text("Viranomainen hoitaa.", "Myndigheten handlägger.", "The authority handles it."),
    "ready_to_close": Text(
        "Kaikki osat on päätetty, ehkä eri tuloksin: odottaa, että koordinaattori päättää ilmoituksen.",
        "Alla delar är avslutade, kanske med olika utfall: väntar på att koordinatorn avslutar anmälan.",
        "All parts are closed, maybe with outcomes that differ: waits for a coordinator to close the notice.",
    ),
    "standing_finished": Text("Päättynyt.", "Avslutad.", "Finished."),
}

_UNROUTED: Final[Mapping[str, Text]] = {
    "unknown_municipality": Text(
        "Kuntaa ei tunneta.",
        "Kommunen är okänd.",
        "The municipality is unknown.",
    ),
    "outside_act": Text(
        "Kuntaan ei sovelleta lakia työvoimapalveluiden järjestämisestä.",
        "Lagen om ordnande av arbetskraftsservice tillämpas inte på kommunen.",
        "The Act on organising employment services does not apply to the municipality.",
    ),
    "no_municipality_given": Text(
        "Ilmoituksessa ei mainita yhtään kuntaa.",
        "Ingen kommun nämns i anmälan.",
        "The filing names no municipality.",
    ),
}

_NOTES: Final[Mapping[str, Text]] = {
    "agreements_may_set_other_times": Text(
        "Työehtosopimuksessa tai osapuolten kesken on voitu sopia muista ajoista.",
        "I kollektivavtal eller mellan parterna kan andra tider ha avtalats.",
        "Collective agreements and the parties may set other times.",
    ),
    "if_cooperation_act_applies": Text(
        "Jos yhteistoimintalakia sovelletaan",
        "Om samarbetslagen tillämpas",
        "If the Co-operation Act applies",
    ),
    "rules_chosen_by_arrival": Text(
        "Neuvotteluesityksen antopäivää ei tiedetä: säännöt on valittu saapumispäivän mukaan. Tarkistettava.",
        "Dagen då förhandlingsframställningen gavs är okänd: reglerna har valts enligt ankomstdagen. Bör kontrolleras.",
        "The day the negotiation proposal was given is not known: the rules of the day of arrival are used. "
        "To be checked.",
    ),
}

_MISSING: Final[Mapping[str, Text]] = {
    "regular_staff_missing": Text(
        "Säännöllisesti työsuhteessa olevien työntekijöiden määrä puuttuu.",
        "Antalet arbetstagare som regelbundet är anställda saknas.",
        "The number of employees regularly in service is missing.",
    ),
    "measures_missing": Text(
        "Suunnitellut toimenpiteet ja niiden määrät puuttuvat.",
        "De planerade åtgärderna och deras antal saknas.",
        "The planned measures and their numbers are missing.",
    ),
    "measure_count_missing": Text(
        "Toimenpiteen {row} ({measure}) työntekijämäärä puuttuu.",
        "Antalet arbetstagare i åtgärd {row} ({measure}) saknas.",
        "The number of employees of measure {row} ({measure}) is missing.",
    ),
    "layoff_days_missing": Text(
        "Toimenpiteen {row} lomautuksen kesto päivinä puuttuu.",
        "Permitteringens längd i dagar i åtgärd {row} saknas.",
        "The length of the lay-off in measure {row}, in days, is missing.",
    ),
    "layoff_ground_missing": Text(
        "Toimenpiteen {row} lomautuksen peruste puuttuu: onko työ vähentynyt tilapäisesti?",
        "Grunden för permitteringen i åtgärd {row} saknas: har arbetet minskat tillfälligt?",
        "The ground of the lay-off in measure {row} is missing: is it a temporary reduction of work?",
    ),
    "terminations_missing": Text(
        "Irtisanottavien määrät puuttuvat.",
        "Antalet uppsägningar saknas.",
        "The numbers of terminations are missing.",
    ),
    "termination_count_missing": Text(
        "Rivin {row} irtisanottavien määrä puuttuu.",
        "Antalet uppsägningar på rad {row} saknas.",
        "The number of terminations in row {row} is missing.",
    ),
    "earlier_reductions_missing": Text(
        "Työnantajan vähennykset edeltävien {days} päivän ajalta eivät ole tiedossa.",
        "Arbetsgivarens minskningar under de föregående {days} dagarna är inte kända.",
        "The employer's reductions of the {days} days before are not known.",
    ),
    "earlier_measures_missing": Text(
        "Työnantajan aiemman ilmoituksen ({day}) toimenpiteet eivät ole tiedossa.",
        "Åtgärderna i arbetsgivarens tidigare anmälan ({day}) är inte kända.",
        "The measures of the employer's earlier filing ({day}) are not known.",
    ),
    "earlier_number_missing": Text(
        "Työnantajan aiemman ilmoituksen ({day}, {measure}) tieto puuttuu: määrä, kesto tai peruste.",
        "En uppgift i arbetsgivarens tidigare anmälan ({day}, {measure}) saknas: antal, längd eller grund.",
        "The employer's earlier filing ({day}, {measure}) lacks a number, a length or a ground.",
    ),
}

_STEPS: Final[Mapping[str, Text]] = {
    "advance_information": Text("Ennakkotieto", "Förhandsinformation", "Advance information"),
    "proposal": Text("Neuvotteluesitys", "Förhandlingsframställning", "Negotiation proposal"),
    "specialist_named": Text("Asiantuntija nimetty", "Sakkunnig utsedd", "Specialist named"),
    "employer_contacted": Text("Työnantajaan otettu yhteyttä", "Arbetsgivaren kontaktad", "Employer contacted"),
    "site_breakdown_asked": Text(
        "Toimipaikkakohtaiset tiedot pyydetty",
        "Uppgifter per verksamhetsställe begärda",
        "Breakdown by site asked for",
    ),
    "action_plan": Text("Toimintasuunnitelma", "Handlingsplan", "Action plan"),
    "operating_principles": Text("Toimintaperiaatteet", "Handlingsprinciper", "Operating principles"),
    "information_sessions": Text("Tiedotustilaisuudet", "Informationsmöten", "Information sessions"),
    "outcome_known": Text("Neuvottelujen tulos tiedossa", "Förhandlingarnas resultat känt", "Outcome known"),
    "termination_notice": Text("Ilmoitus irtisanomisista", "Anmälan om uppsägningar", "Notice of terminations"),
    "employment_plans": Text("Työllistymissuunnitelmat", "Sysselsättningsplaner", "Employment plans"),
    "training_and_matching": Text(
        "Koulutus ja työnvälitys", "Utbildning och arbetsförmedling", "Training and matching"
    ),
    "follow_up": Text("Seuranta", "Uppföljning", "Follow-up"),
}

_CHECKS: Final[Mapping[str, Text]] = {
    "aged_55": Text(
        "Irtisanottu on irtisanomispäivänä täyttänyt {years} vuotta",
        "Den uppsagda har fyllt {years} år den dag uppsägningen sker",
        "The employee is {years} or older on the day of notice",
    ),
    "service_5_years": Text(
        "Työsuhde on kestänyt vähintään {years} vuotta",
        "Anställningen har varat minst {years} år",
        "The employment has lasted at least {years} years",
    ),
    "registered_within_60_days": Text(
        "Ilmoittautuu työnhakijaksi {days} päivän kuluessa irtisanomisesta",
        "Anmäler sig som arbetssökande inom {days} dagar från uppsägningen",
        "Registers as a jobseeker within {days} days of the notice of termination",
    ),
}

_HANDLING: Final[Mapping[str, Text]] = {
    "smaller_and_shared": Text(
        "Hoidetaan yhdessä: koskee {authorities} alueen viranomaista ja {affected} työntekijää, alle {limit}.",
        "Sköts gemensamt: berör {authorities} av regionens myndigheter och {affected} anställda, färre än {limit}.",
        "Handled jointly: it concerns {authorities} authorities of the region and {affected} employees, below {limit}.",
    ),
    "one_authority": Text(
        "Ei hoideta yhdessä: koskee vain yhtä alueen viranomaista.",
        "Sköts inte gemensamt: berör bara en av regionens myndigheter.",
        "Not handled jointly: it concerns only one authority of the region.",
    ),
    "number_unknown": Text(
        "Ei hoideta yhdessä: kaikkia lukumääriä ei tiedetä (vähintään {affected}), joten alle {limit} ei ole varmaa.",
        "Sköts inte gemensamt: alla antal är inte kända (minst {affected}), så färre än {limit} är inte säkert.",
        "Not handled jointly: not every number is known (at least {affected}), so fewer than {limit} is not certain.",
    ),
    "not_smaller": Text(
        "Ei hoideta yhdessä: koskee {affected} työntekijää, raja on {limit}.",
        "Sköts inte gemensamt: berör {affected} anställda, gränsen är {limit}.",
        "Not handled jointly: it concerns {affected} employees, the limit is {limit}.",
    ),
    "lead_by_share": Text(
        "Johtovuorossa: sovittu osuus {agreed} %, tänä vuonna johtanut {actual} %.",
        "I tur att leda: avtalad andel {agreed} %, har i år lett {actual} %.",
        "Next to lead: {agreed} % is agreed, {actual} % led this year.",
    ),
    "specialist_by_load": Text(
        "Vähiten avoimia yhteisiä asioita työaikaansa nähden: {open}.",
        "Minst öppna gemensamma ärenden i förhållande till sin arbetstid: {open}.",
        "The fewest open joint matters for the officer's working time: {open}.",
    ),
    "chosen_by_hand": Text(
        "Koordinaattorin päätös: {reason}", "Koordinatorns beslut: {reason}", "A coordinator's decision: {reason}"
    ),
}

_GROUNDS: Final[Mapping[str, Text]] = {
    "own_competence": Text(
        "Viranomaisen oma toimivalta", "Myndighetens egen behörighet", "The authority's own competence"
    ),
    "consent": Text(
        "Kaupunkien yhteistoimintasopimus (kuntalaki 410/2015, 54 §) ja toimivaltaisen viranomaisen suostumus",
        "Städernas samarbetsavtal (kommunallagen 410/2015, 54 §) och den behöriga myndighetens samtycke",
        "The cities' cooperation agreement (Municipalities Act 410/2015, § 54) and the competent authority's consent",
    ),
    "delegation": Text(
        "Kaupunkien yhteistoimintasopimus (kuntalaki 410/2015, 54 §) ja pysyvä valtuutus",
        "Städernas samarbetsavtal (kommunallagen 410/2015, 54 §) och en stående delegering",
        "The cities' cooperation agreement (Municipalities Act 410/2015, § 54) and a standing delegation",
    ),
}

TEXTS: Final[Mapping[str, Text]] = {
    **_CLOCKS,
    **_WARNINGS,
    **_UNROUTED,
    **_ASKED,
    **_STANDING,
    **_NOTES,
    **_MISSING,
    **_STEPS,
    **_CHECKS,
    **_HANDLING,
    **_GROUNDS,
}
"""Every text by its code. A code belongs to one text only."""
