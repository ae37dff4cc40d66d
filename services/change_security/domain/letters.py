"""What the letters say, in Finnish, Swedish and English. No measure, no number and no employer stands in any of them:
a subject is shown where a body is not, and a mailbox is read by more than one person.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.change_security.domain.delivery import Protection
from services.change_security.domain.filing import missing
from services.change_security.domain.ledger import EntryState
from services.change_security.domain.notice import Notice, NoticeState
from services.change_security.domain.routing import AuthorityTable, Language
from services.change_security.domain.texts import Text
from shared.calendar import local_day
from shared.events.v1.change_security import Filing, ReasonKind

_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_SUBJECT: Final = Text("Muutosturva: ilmoitus {id}", "Omställningsskydd: anmälan {id}", "Change security: notice {id}")
_IN_FORCE: Final = Text(
    "Ilmoitus {id} (versio {revision}) saapui työvoimaviranomaiselle {day}. Se koskee teitä, koska:",
    "Anmälan {id} (version {revision}) inkom till arbetskraftsmyndigheten {day}. Den berör er, eftersom:",
    "Notice {id} (revision {revision}) reached an employment authority on {day}. It concerns you because of:",
)
_ENDS: Final[Mapping[NoticeState | EntryState, Text]] = {
    EntryState.RELEASED: Text(
        "Ilmoitus {id} ei enää koske teitä.",
        "Anmälan {id} berör er inte längre.",
        "Notice {id} no longer concerns you.",
    ),
    NoticeState.WITHDRAWN: Text(
        "Työnantaja on peruuttanut ilmoituksen {id}.",
        "Arbetsgivaren har återkallat anmälan {id}.",
        "The employer has withdrawn notice {id}.",
    ),
    NoticeState.CLOSED: Text(
        "Ilmoituksen {id} asia on päättynyt.",
        "Ärendet i anmälan {id} är avslutat.",
        "The matter of notice {id} is over.",
    ),
    NoticeState.MERGED: Text(
        "Ilmoitus {id} on sama kuin ilmoitus {into}, jossa asia jatkuu.",
        "Anmälan {id} är densamma som anmälan {into}, där ärendet fortsätter.",
        "Notice {id} is one with notice {into}, where the matter continues.",
    ),
}
_REASONS: Final[Mapping[ReasonKind, Text]] = {
    ReasonKind.DOMICILE: Text("työnantajan kotipaikka", "arbetsgivarens hemort", "the employer's domicile"),
    ReasonKind.WORKPLACE: Text("toimipaikka", "verksamhetsställe", "a site"),
    ReasonKind.RESIDENCE: Text("työntekijöiden asuinkunta", "arbetstagarnas boningsort", "the workers' residence"),
    ReasonKind.MANUAL: Text("viranomaisen harkinta", "myndighetens bedömning", "an authority's judgement"),
}
_TRAVELS: Final[Mapping[Protection, Text]] = {
    Protection.PLAIN: Text("Ilmoitus on liitteenä.", "Anmälan är bifogad.", "The filing is attached."),
    Protection.SMIME: Text("Ilmoitus on liitteenä.", "Anmälan är bifogad.", "The filing is attached."),
    Protection.RETRIEVAL: Text(
        "Noutakaa ilmoitus kerran osoitteesta:\n{retrieval}\nKoodin saatte puhelimitse. Nouto vahvistaa vastaanoton.",
        "Hämta anmälan en gång på adressen:\n{retrieval}\nKoden får ni per telefon. Hämtningen bekräftar mottagandet.",
        "Fetch the filing once at:\n{retrieval}\nYou are given the code by telephone. Fetching it confirms receipt.",
    ),
}
_CONFIRM: Final = Text(
    "Vahvistakaa vastaanotto vastaamalla tähän viestiin.",
    "Bekräfta mottagandet genom att svara på detta meddelande.",
    "Please confirm receipt by replying to this message.",
)
_CONFIRM_BY_LINK: Final = Text(
    "Vahvistakaa vastaanotto vastaamalla tähän viestiin tai osoitteessa:\n{confirmation}",
    "Bekräfta mottagandet genom att svara på detta meddelande eller på adressen:\n{confirmation}",
    "Please confirm receipt by replying to this message or at:\n{confirmation}",
)
_RECEIVED: Final = Text(
    "Ilmoituksenne {id} (versio {revision}) saapui työvoimaviranomaiselle {day}.",
    "Er anmälan {id} (version {revision}) inkom till arbetskraftsmyndigheten {day}.",
    "Your notice {id} (revision {revision}) reached an employment authority on {day}.",
)
_HANDLED: Final = Text("Sitä käsittelevät:", "Den handläggs av:", "It is handled by:")
_NOBODY_YET: Final = Text(
    "Käsittelevä viranomainen selvitetään.",
    "Vilken myndighet som handlägger den utreds.",
    "Which authority handles it is being looked into.",
)
_LACKING: Final = Text(
    "Pyydämme täydentämään seuraavat tiedot samalla tavalla kuin teitte ilmoituksen:",
    "Vi ber er komplettera följande uppgifter på samma sätt som ni gjorde anmälan:",
    "Please complete the following, in the way in which you filed:",
)
_COMPLETE: Final = Text(
    "Ilmoituksesta ei puutu tietoja.", "Inga uppgifter saknas i anmälan.", "Nothing is missing from it."
)

_FIELDS: Final[Mapping[str, Text]] = {
    "/legal_basis": Text("laki, johon ilmoitus perustuu", "lagen som anmälan grundar sig på", "the legal basis"),
    "/employer/name": Text("työnantajan nimi", "arbetsgivarens namn", "the employer's name"),
    "/employer/domicile": Text("työnantajan kotipaikka", "arbetsgivarens hemort", "the employer's domicile"),
    "/employer/regular_staff": Text(
        "säännöllisesti työsuhteessa olevien määrä", "antalet regelbundet anställda", "the number of regular staff"
    ),
    "/negotiations/starts_at": Text(
        "neuvottelujen alkamisaika", "tidpunkten då förhandlingarna inleds", "when the negotiations start"
    ),
    "/negotiations/place": Text("neuvottelujen paikka", "platsen för förhandlingarna", "the place of the negotiations"),
    "/negotiations/matters": Text("käsiteltävät asiat", "ärenden som behandlas", "the matters to be negotiated"),
    "/negotiations/grounds": Text("perusteet", "grunderna", "the grounds"),
    "/negotiations/selection_principles": Text("valintaperiaatteet", "urvalsprinciperna", "the selection principles"),
    "/negotiations/carried_out_within": Text("toteuttamisaika", "tiden för genomförandet", "the time of carrying out"),
    "/negotiations/personnel_informed_on": Text(
        "päivä, jona henkilöstölle ilmoitettiin",
        "dagen då personalen informerades",
        "the day on which the personnel was informed",
    ),
    "/measures": Text("suunnitellut toimenpiteet", "de planerade åtgärderna", "the planned measures"),
    "/measures/#/personnel_group": Text("rivi {row}: henkilöstöryhmä", "rad {row}: personalgrupp", "row {row}: group"),
    "/measures/#/count": Text("rivi {row}: lukumäärä", "rad {row}: antal", "row {row}: number"),
    "/terminations": Text("tiedot riveittäin", "uppgifterna rad för rad", "the rows of the notice"),
    "/terminations/#/count": Text("rivi {row}: lukumäärä", "rad {row}: antal", "row {row}: number"),
    "/terminations/#/occupation": Text(
        "rivi {row}: ammatti tai tehtävät", "rad {row}: yrke eller uppgifter", "row {row}: occupation or duties"
    ),
    "/terminations/#/ends_from": Text(
        "rivi {row}: päättymispäivä", "rad {row}: slutdatum", "row {row}: the day it ends"
    ),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter's words. `has_filing`: the filing goes with it."""

    subject: str
    text: str
    has_filing: bool = False


@dataclass(frozen=True, slots=True)
class Links:
    """Where an authority confirms receipt, and fetches the filing; empty where this service cannot be reached."""

    confirmation: str = ""
    retrieval: str = ""


def mailbox(filing: Filing) -> str | None:
    """Return the employer's mailbox; None when it gives none that a letter can be sent to."""
    address = filing.employer.email
    return address if address and _ADDRESS.fullmatch(address) else None


def is_about_filing(notice: Notice, authority: str) -> bool:
    """Whether the authority still has part in an open notice: only then does the filing go to it."""
    entry = notice.entry(authority)
    return notice.state is NoticeState.OPEN and entry is not None and entry.state is not EntryState.RELEASED


def to_authority(
    notice: Notice,
    authority: str,
    table: AuthorityTable,
    how: Protection,
    links: Links,
    languages: Sequence[Language] = ("fi", "sv"),
) -> Letter:
    """Write to an authority outside the region. A released one is told only that it is released."""
    entry = notice.entry(authority)
    values = {
        "id": str(notice.notice_id),
        "revision": str(notice.revision),
        "into": str(notice.merged_into),
        "confirmation": links.confirmation,
        "retrieval": links.retrieval,
    }
    paragraphs: list[str] = []
    for language in languages:
        if entry is None or entry.state is EntryState.RELEASED:
            paragraphs.append(_say(_ENDS[EntryState.RELEASED], language, values))
            continue
        if notice.state is not NoticeState.OPEN:
            paragraphs.append(_say(_ENDS[notice.state], language, values))
        else:
            reasons = [
                f"- {_say(_REASONS[reason.kind], language)}{_place(reason.municipality, table, language)}"
                for reason in entry.reasons
            ]
            paragraphs += [
                "\n".join([_say(_IN_FORCE, language, values | _day(notice, language)), *reasons]),
                _say(_TRAVELS[how], language, values),
            ]
        if how is not Protection.RETRIEVAL:
            paragraphs.append(_say(_CONFIRM_BY_LINK if links.confirmation else _CONFIRM, language, values))
    subject = " / ".join(_say(_SUBJECT, language, values) for language in languages)
    return Letter(subject, "\n\n".join(paragraphs) + "\n", how in {Protection.PLAIN, Protection.SMIME})


def to_employer(notice: Notice, table: AuthorityTable) -> Letter:
    """Acknowledge a filing to the employer's mailbox: who handles it, and what is missing."""
    language: Language = notice.filing.language or "fi"
    values = {"id": str(notice.notice_id), "revision": str(notice.revision)} | _day(notice, language)
    handling = [f"- {_name(entry.authority, table, language)}" for entry in notice.active]
    lacking = [f"- {name}" for name in field_names(missing(notice.filing), language)]
    paragraphs = [
        _say(_RECEIVED, language, values),
        "\n".join([_say(_HANDLED, language), *handling]) if handling else _say(_NOBODY_YET, language),
        "\n".join([_say(_LACKING, language), *lacking]) if lacking else _say(_COMPLETE, language),
    ]
    return Letter(_say(_SUBJECT, language, values), "\n\n".join(paragraphs) + "\n")


def field_names(pointers: Iterable[str], language: Language) -> list[str]:
    """Name missing fields in a language; rows count from one."""
    names = []
    for pointer in pointers:
        place = re.search(r"/(\d+)/", pointer)
        row = str(int(place[1]) + 1) if place else ""
        names.append(_say(_FIELDS[re.sub(r"/\d+/", "/#/", pointer)], language, {"row": row}))
    return names


def _say(text: Text, language: Language, values: Mapping[str, str] | None = None) -> str:
    chosen: str = getattr(text, language)
    return chosen.format(**(values or {}))


def _day(notice: Notice, language: Language) -> dict[str, str]:
    day = local_day(notice.receipt.arrived_at)
    return {"day": f"{day.day} {day:%B %Y}" if language == "en" else f"{day.day}.{day.month}.{day.year}"}


def _place(code: str | None, table: AuthorityTable, language: Language) -> str:
    municipality = table.municipality(code) if code else None
    if municipality is None:
        return ""
    return f" ({municipality.name_sv if language == 'sv' else municipality.name_fi})"


def _name(authority: str, table: AuthorityTable, language: Language) -> str:
    entry = table.authorities.get(authority)
    name: str = getattr(entry, f"name_{language}") if entry else authority
    return name
