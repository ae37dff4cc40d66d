"""What goes out by e-mail, in the reader's language: answers to employers, announcements, and mailing-list matters."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.events.v1.advisory import Audience, Language, Texts


class LetterKind(StrEnum):
    """What a letter is."""

    ANSWER = "answer"
    CONFIRMATION = "confirmation"
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says. `unsubscribe_url`: where its reader leaves the mailing list."""

    subject: str
    body: str
    unsubscribe_url: str | None = None


_ANSWER: Final[dict[Language, tuple[str, str]]] = {
    "fi": ("Vastaus yhteydenottoonne", "Pääkaupunkiseudun työllisyyspalvelut, työnantajaneuvonta"),
    "sv": ("Svar på er kontakt", "Huvudstadsregionens sysselsättningstjänster, arbetsgivarrådgivning"),
    "en": ("Answer to your contact", "Employment services of the capital region, advice to employers"),
}
_AUDIENCE: Final[dict[Audience, dict[Language, str]]] = {
    Audience.EMPLOYERS: {"fi": "työnantajille", "sv": "för arbetsgivare", "en": "for employers"},
    Audience.STAKEHOLDERS: {"fi": "sidosryhmille", "sv": "för intressentgrupper", "en": "for stakeholders"},
    Audience.JOBSEEKERS: {"fi": "työnhakijoille", "sv": "för arbetssökande", "en": "for jobseekers"},
    Audience.PROVIDERS: {"fi": "palveluntuottajille", "sv": "för tjänsteproducenter", "en": "for providers"},
}
_TITLE: Final[dict[Language, str]] = {
    "fi": "Pääkaupunkiseudun työllisyyspalvelujen tiedotteet",
    "sv": "Meddelanden från huvudstadsregionens sysselsättningstjänster",
    "en": "Announcements of the employment services of the capital region",
}
_CONFIRM: Final[dict[Language, tuple[str, str]]] = {
    "fi": ("Vahvistakaa tilaus", "Vahvistakaa tiedotteiden tilaus tästä. Jos ette tilannut niitä, älkää tehkö mitään:"),
    "sv": ("Bekräfta prenumerationen", "Bekräfta prenumerationen här. Om ni inte beställt den behöver ni inget göra:"),
    "en": ("Confirm the subscription", "Confirm the subscription here. If you did not ask for it, do nothing:"),
}
_LEAVE: Final[dict[Language, str]] = {
    "fi": "Peruuttakaa tilaus:",
    "sv": "Avsluta prenumerationen:",
    "en": "Unsubscribe:",
}


def answer(language: Language, text: str) -> Words:
    """Return the letter that answers a contact. Its subject, which is shown where no body is, tells no matter."""
    subject, signature = _ANSWER[language]
    return Words(subject, f"{text.strip()}\n\n-- \n{signature}\n")


def list_title(audience: Audience, language: Language) -> str:
    """Return the name of an audience's announcements."""
    return f"{_TITLE[language]} {_AUDIENCE[audience][language]}"


def confirmation(audience: Audience, language: Language, url: str) -> Words:
    """Return the letter that asks for the confirmation of a subscription."""
    subject, text = _CONFIRM[language]
    return Words(subject, f"{list_title(audience, language)}\n\n{text}\n{url}\n")


def announcement(texts: Texts, language: Language, unsubscribe_url: str) -> Words:
    """Return an announcement for a subscriber."""
    return Words(texts.title, f"{texts.body}\n\n-- \n{_LEAVE[language]} {unsubscribe_url}\n", unsubscribe_url)
