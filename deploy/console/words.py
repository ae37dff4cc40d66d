"""The console's words in the three service languages. Swedish is to be reviewed by a native speaker."""

from typing import Final, Literal

Lang = Literal["fi", "sv", "en"]

WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "title": ("Operaattorin konsoli", "Operatörens konsol", "Operators' console"),
    "overview": ("Yleiskuva", "Översikt", "Overview"),
    "notices": ("Ilmoitukset", "Anmälningar", "Notices"),
    "unrouted": ("Reitittämättä", "Utan mottagare", "Unrouted"),
    "parked": ("Pysäköidyt", "Parkerade", "Parked"),
    "topics": ("Aiheet ja viestit", "Ämnen och meddelanden", "Topics and messages"),
    "sign_in": ("Kirjaudu", "Logga in", "Sign in"),
    "sign_out": ("Kirjaudu ulos", "Logga ut", "Sign out"),
    "token": ("Oma tunnisteesi (JWT)", "Din egen token (JWT)", "Your own token (JWT)"),
    "token_help": (
        "Konsoli lukee jokaista toimipistettä sen omasta rajapinnasta tällä tunnisteella. Se pysyy vain tässä selaimessa.",
        "Konsolen läser varje kontor genom dess eget gränssnitt med denna token. Den finns bara i den här webbläsaren.",
        "The console reads each office through its own API with this token. It stays in this browser alone.",
    ),
    "service": ("Palvelu", "Tjänst", "Service"),
    "office": ("Toimipiste", "Kontor", "Office"),
    "state": ("Tila", "Läge", "State"),
    "ready": ("valmis", "redo", "ready"),
    "not_ready": ("ei valmis", "inte redo", "not ready"),
    "away": ("ei vastaa", "svarar inte", "does not answer"),
    "paused": ("keskeytetty", "pausad", "paused"),
    "lag": ("Viive: viestejä", "Eftersläpning: poster", "Lag: records"),
    "lag_seconds": ("sekuntia", "sekunder", "seconds"),
    "outbox": ("Lähtevät: odottaa", "Utkorg: väntar", "Outbox: waiting"),
    "outbox_seconds": ("vanhin, s", "äldsta, s", "oldest, s"),
    "not_permitted": ("ei oikeutta", "ingen behörighet", "not permitted"),
    "authority": ("Viranomainen", "Myndighet", "Authority"),
    "who_has": (
        "Kenellä on, kuka on kuitannut, mikä on myöhässä",
        "Vem har, vem har kvitterat, vad är försenat",
        "Who has it, who has acknowledged, what is late",
    ),
    "acting": ("Toimii", "Handlar", "Acts"),
    "stored": ("Tallessa", "Lagrad", "Stored"),
    "acknowledged": ("Kuitattu", "Kvitterad", "Acknowledged"),
    "overdue": ("myöhässä", "försenad", "late"),
    "trace": ("Jälki", "Spår", "Trace"),
    "open_viewer": ("Avaa jälkikatselin", "Öppna spårvisaren", "Open the trace viewer"),
    "arrived": ("Saapunut", "Inkommen", "Arrived"),
    "version": ("Versio", "Version", "Version"),
    "municipality": ("Kunta", "Kommun", "Municipality"),
    "why": ("Miksi", "Varför", "Why"),
    "reason": ("Syy", "Orsak", "Reason"),
    "count": ("Määrä", "Antal", "Count"),
    "oldest": ("Vanhin", "Äldsta", "Oldest"),
    "topic": ("Aihe", "Ämne", "Topic"),
    "payload": ("Sisältö, peitetty luokittain", "Innehåll, dolt efter klass", "Payload, redacted by class"),
    "acts": ("Teot", "Åtgärder", "Acts"),
    "replay": ("Toista", "Spela upp", "Replay"),
    "replay_group": ("Toista ryhmä", "Spela upp gruppen", "Replay the group"),
    "dry_run": ("Koeajo: mitä tapahtuisi", "Torrkörning: vad skulle hända", "Dry run: what would happen"),
    "discard": ("Hylkää", "Förkasta", "Discard"),
    "pause": ("Keskeytä", "Pausa", "Pause"),
    "resume": ("Jatka", "Fortsätt", "Resume"),
    "done": ("Tehty", "Gjort", "Done"),
    "nothing": ("Ei mitään.", "Ingenting.", "Nothing."),
    "writes": ("Kirjoittaa", "Skriver", "Writes"),
    "reads": ("Lukee", "Läser", "Reads"),
    "key": ("Avain", "Nyckel", "Key"),
    "types": ("Viestityypit", "Meddelandetyper", "Event types"),
    "flow_map": ("Viestien kulku", "Meddelandenas väg", "Message flows"),
    "updated": ("Päivittyy itsestään", "Uppdateras av sig självt", "Updates by itself"),
    "problem": ("Toimipiste vastasi", "Kontoret svarade", "The office answered"),
    "skip": ("Siirry sisältöön", "Gå till innehållet", "Skip to content"),
}


def words_in(lang: Lang) -> dict[str, str]:
    """Return every word in a language."""
    place = ("fi", "sv", "en").index(lang)
    return {name: texts[place] for name, texts in WORDS.items()}
