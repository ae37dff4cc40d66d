"""What goes out by e-mail, in the reader's language: answers to employers, announcements, and mailing-list matters."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.errors import ConflictError, RefusedError
from shared.events.v1.advisory import Audience, Language, Texts


class LetterKind(StrEnum):
    """What a letter is."""

    ANSWER = "answer"
    CONFIRMATION = "confirmation"
    ANNOUNCEMENT = "announcement"


class LetterState(StrEnum):
    """How far a letter is. Without an address it is kept, and not sent; one that no server takes is given up."""

    QUEUED = "queued"
    SENT = "sent"
    NO_ADDRESS = "no_address"
    FAILED = "failed"
    DISCARDED = "discarded"


def require_retry(state: LetterState, kind: LetterKind, kept: str | None, given: str | None) -> str:
    """Return the address to which a letter is sent once more.

    Args:
        state: how far the letter is.
        kind: what it is.
        kept: its address.
        given: the address to send it to instead.

    Raises:
        ConflictError: `invalid-state`: it was sent, or discarded; `no-address`: there is none.
        RefusedError: `not-its-reader`: a mailing list's letter goes to no other address than the confirmed one.
    """
    if state in {LetterState.SENT, LetterState.DISCARDED}:
        raise ConflictError("invalid-state", f"The letter is {state}.")
    if given is not None and kind is not LetterKind.ANSWER:
        raise RefusedError("/address", "not-its-reader", "Only an answer may be sent to another address.")
    address = given or kept
    if address is None:
        raise ConflictError("no-address", "The letter has no address.")
    return address


def require_discard(state: LetterState) -> None:
    """Let a letter be discarded that has not gone out.

    Raises:
        ConflictError: `invalid-state`: it was sent.
    """
    if state is LetterState.SENT:
        raise ConflictError("invalid-state", f"The letter is {state}.")


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says. `unsubscribe_url`: where its reader leaves the mailing list."""

    subject: str
    body: str
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who may get an answer: the caller of a contact, by address, and whether one was written about it before."""

    contact_id: UUID
    address: str | None
    is_written: bool = False


def readers(first: Reader, *later: Reader) -> list[Reader]:
    """Return to whom an answer goes: each caller of the matter who has not been written to, or else all; once each.

    Without any address, it is kept with the first contact.
    """
    reachable = [reader for reader in (first, *later) if reader.address]
    chosen = [reader for reader in reachable if not reader.is_written] or reachable or [first]
    return list({reader.address: reader for reader in reversed(chosen)}.values())[::-1]


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
