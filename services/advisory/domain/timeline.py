"""An employer's timeline as one authority may see it: what is shown, what is withheld, and who has not answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.advisory.domain.contact import ContactState
from shared.events.envelope import Part
from shared.events.v1.advisory import ContactTopic, TimelineAnswered
from shared.events.values import BusinessId

SERVICE = "advisory"


class TimelineQuestion(Part):
    """Whose timeline, and which authority asks."""

    business_id: BusinessId
    authority: str


@dataclass(frozen=True, slots=True)
class Matter:
    """A contact of the employer, and whom it concerns."""

    contact_id: UUID
    topic: ContactTopic
    state: ContactState
    received_at: datetime
    competent_authority: str | None
    acting_authority: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact of an employer's timeline, by service."""

    service: str
    matter_id: UUID
    what: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Withholding:
    """Something that is withheld, and why."""

    service: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is shown, ordered by time, and what is withheld."""

    entries: tuple[Entry, ...]
    withheld: tuple[Withholding, ...]


def timeline(authority: str, matters: Iterable[Matter], answers: Iterable[TimelineAnswered]) -> Timeline:
    """Put together what an authority may see: its own contacts, and what each service that owns a matter shows it."""
    entries, withheld = [], []
    for matter in matters:
        if authority in {matter.competent_authority, matter.acting_authority}:
            what = f"contact: {matter.topic}"
            entries.append(Entry(SERVICE, matter.contact_id, what, matter.state, matter.received_at))
        else:
            competent = matter.competent_authority or "no known authority"
            acting = matter.acting_authority or "nobody yet"
            withheld.append(Withholding(SERVICE, "contact", f"a contact of {competent}, handled by {acting}"))
    for answer in answers:
        entries += [Entry(answer.service, fact.matter_id, fact.what, fact.state, fact.at) for fact in answer.facts]
        withheld += [Withholding(answer.service, part.what, part.reason) for part in answer.withheld]
    return Timeline(tuple(sorted(entries, key=lambda entry: (entry.at, str(entry.matter_id)))), tuple(withheld))
