"""Advisory: one queue of employers' contacts, hand-overs that are acknowledged, guidance, announcements.

No caller's name, telephone number, e-mail address or words stand in an event: whoever handles the contact asks the
office that took it, by a logged query with a purpose.
"""

from enum import StrEnum
from typing import ClassVar, Final, Literal
from uuid import UUID

from pydantic import Field

from shared.events.envelope import Event, Part
from shared.events.v1.change_security import MunicipalityCode
from shared.events.values import Absence, BusinessId, Day, Instant

Language = Literal["fi", "sv", "en"]
ServiceName = Literal["change_security", "placement", "training"]
Task = Literal["advisory", "placement", "change_security", "training", "coaching"]
MAX_REASON: Final = 400
"""How long the reason of an assignment or a release may be. A reason that is made of others is cut to it."""


class ContactChannel(StrEnum):
    """How an employer came to us."""

    CALL_BACK = "call_back"
    FORM = "form"
    EMAIL = "email"


class ContactTopic(StrEnum):
    """What a contact is about."""

    RECRUITMENT = "recruitment"
    CHANGE_SITUATION = "change_situation"
    TRAINING = "training"
    WAGE_SUBSIDY = "wage_subsidy"
    OTHER = "other"


class Contact(Part):
    """A contact of an employer, without whoever calls."""

    channel: ContactChannel
    topic: ContactTopic = ContactTopic.OTHER
    language: Language = "fi"
    municipality: MunicipalityCode | None = Field(default=None, description="Of the employer; None when not known.")
    business_id: BusinessId | None = Field(default=None, description="Y-tunnus, 1234567-8.")
    received_at: Instant
    is_live_call: Literal[True] | None = Field(
        default=None, description="The employer was on the phone; `channel` is then `call_back`, the nearest it has."
    )


class _AboutContact(Event):
    KEY: ClassVar[str] = "contact_id"
    contact_id: UUID


class ContactSubmitted(_AboutContact):
    """Another system has received a contact."""

    type: Literal["advisory.contact-submitted.v1"] = "advisory.contact-submitted.v1"
    contact: Contact
    source_reference: str | None = Field(
        default=None,
        max_length=100,
        description="How the other system finds the caller. Opaque: no number, no address.",
    )


class ContactAssigned(_AboutContact):
    """A contact is assigned to an officer, with the reason. The newest version replaces the older."""

    type: Literal["advisory.contact-assigned.v1"] = "advisory.contact-assigned.v1"
    version: int = Field(ge=1)
    contact: Contact
    officer: str = Field(max_length=200, description="The token issuer's opaque subject.")
    competent_authority: str | None = None
    acting_authority: str
    reason: str = Field(max_length=MAX_REASON)
    hand_over_id: UUID | None = Field(default=None, description="It was handed over, and waits for acknowledgement.")
    joined: tuple[UUID, ...] | None = Field(
        default=None, description="Later contacts about the same: to be answered with it."
    )
    due_at: Instant | None = Field(default=None, description="By when it is to be answered, as agreed for its channel.")
    reopened_version: int | None = Field(
        default=None, ge=1, description="The version with which it was last reopened: an older answer does not end it."
    )


class ContactReleased(_AboutContact):
    """A contact is no longer this office's."""

    type: Literal["advisory.contact-released.v1"] = "advisory.contact-released.v1"
    version: int = Field(ge=1)
    reason: str = Field(max_length=MAX_REASON)


class AnswerEntered(_AboutContact):
    """The contact's officer has answered it at the joint office, which has the caller's address and the text."""

    type: Literal["advisory.answer-entered.v1"] = "advisory.answer-entered.v1"
    version: int = Field(ge=1)
    answered_at: Instant


class HandOverOverdue(_AboutContact):
    """Nobody has acknowledged a hand-over in time: who handed it over has it still."""

    type: Literal["advisory.hand-over-overdue.v1"] = "advisory.hand-over-overdue.v1"
    hand_over_id: UUID
    due_at: Instant


class Given(Part):
    """A guidance article as it was given to an employer: this version of it."""

    article_id: UUID
    version: int = Field(ge=1)


class ContactAnswered(_AboutContact):
    """An officer has answered a contact."""

    type: Literal["advisory.contact-answered.v1"] = "advisory.contact-answered.v1"
    office: str
    officer: str = Field(max_length=200)
    answered_at: Instant
    minutes: int | None = Field(default=None, ge=0, le=1440)
    guidance: tuple[Given, ...] = Field(default=(), max_length=50)
    version: int | None = Field(default=None, ge=0, description="The version of the contact that the officer saw.")


class ContactClosed(_AboutContact):
    """A contact needs nothing more."""

    type: Literal["advisory.contact-closed.v1"] = "advisory.contact-closed.v1"
    office: str
    closed_at: Instant
    version: int | None = Field(default=None, ge=0, description="The version of the contact that the officer saw.")


class ContactRegistered(_AboutContact):
    """A city has taken a contact in itself and handles it: the joint office keeps count."""

    type: Literal["advisory.contact-registered.v1"] = "advisory.contact-registered.v1"
    office: str
    officer: str = Field(max_length=200)
    contact: Contact


class HandOverAsked(_AboutContact):
    """An officer hands a contact over to another authority, or to another service."""

    type: Literal["advisory.hand-over-asked.v1"] = "advisory.hand-over-asked.v1"
    office: str
    hand_over_id: UUID
    to_authority: str | None = None
    to_service: ServiceName | None = None
    reason: str = Field(max_length=300)


class HandOverAcknowledged(_AboutContact):
    """An officer of the receiving authority has taken a contact over."""

    type: Literal["advisory.hand-over-acknowledged.v1"] = "advisory.hand-over-acknowledged.v1"
    office: str
    hand_over_id: UUID
    officer: str = Field(max_length=200)
    acknowledged_at: Instant


class OfficerListed(Event):
    """An officer's competence and time for advisory, as the own city has them.

    The newest version replaces the older.
    """

    KEY: ClassVar[str] = "officer"
    type: Literal["advisory.officer-listed.v1"] = "advisory.officer-listed.v1"
    officer: str = Field(max_length=200)
    office: str
    version: int = Field(ge=1)
    topics: tuple[ContactTopic, ...]
    languages: tuple[Language, ...]
    person_years: float = Field(ge=0, le=1)
    absences: tuple[Absence, ...] = Field(default=(), max_length=100)


class Texts(Part):
    """A title and a body in one language."""

    title: str = Field(min_length=1, max_length=200)
    body: str = Field(min_length=1, max_length=20_000)


class Trilingual(Part):
    """The same in the three service languages: communication is uniform, so none may lack."""

    fi: Texts
    sv: Texts
    en: Texts


class Audience(StrEnum):
    """Whom an announcement is for."""

    EMPLOYERS = "employers"
    STAKEHOLDERS = "stakeholders"
    JOBSEEKERS = "jobseekers"
    PROVIDERS = "providers"


class _AboutAnnouncement(Event):
    KEY: ClassVar[str] = "announcement_id"
    announcement_id: UUID


class AnnouncementMade(_AboutAnnouncement):
    """A coordinated announcement, for each city to publish."""

    type: Literal["advisory.announcement-made.v1"] = "advisory.announcement-made.v1"
    texts: Trilingual
    audiences: tuple[Audience, ...]
    publish_on: Day


class Progress(StrEnum):
    """How far a city is with an announcement."""

    STORED = "stored"
    PUBLISHED = "published"


class AnnouncementReceived(_AboutAnnouncement):
    """A city has an announcement in its store, or has published it."""

    type: Literal["advisory.announcement-received.v1"] = "advisory.announcement-received.v1"
    office: str
    state: Progress
    at: Instant


class GuidancePublished(Event):
    """An approved version of a guidance article. The newest version replaces the older."""

    KEY: ClassVar[str] = "article_id"
    type: Literal["advisory.guidance-published.v1"] = "advisory.guidance-published.v1"
    article_id: UUID
    version: int = Field(ge=1)
    topic: ContactTopic
    texts: Trilingual
    owner: str = Field(description="The authority that keeps it up to date.")
    review_by: Day
    approved_on: Day


# -- between advisory and the other services at the joint office ------------------------------------------------------


class MatterHandedOver(Event):
    """A contact becomes another service's matter, to be acknowledged by a deadline."""

    KEY: ClassVar[str] = "hand_over_id"
    type: Literal["advisory.matter-handed-over.v1"] = "advisory.matter-handed-over.v1"
    hand_over_id: UUID
    contact_id: UUID
    to_service: ServiceName
    topic: ContactTopic
    language: Language
    municipality: MunicipalityCode | None = None
    business_id: BusinessId | None = None
    from_authority: str
    due_at: Instant
    reason: str | None = Field(default=None, max_length=300, description="Why it is handed over.")


class HandOverAnswered(Event):
    """Where a handed-over matter stands in the other service: in its store, accepted by an officer, or rejected."""

    KEY: ClassVar[str] = "hand_over_id"
    type: Literal["advisory.hand-over-answered.v1"] = "advisory.hand-over-answered.v1"
    hand_over_id: UUID
    service: ServiceName
    state: Literal["stored", "accepted", "rejected"]
    matter_id: UUID | None = Field(default=None, description="What it became: a notice, a vacancy, a proposal.")
    draft_id: UUID | None = Field(default=None, description="The draft that was made of it.")
    reason: str | None = Field(default=None, max_length=300)
    at: Instant


class TimelineRequested(Event):
    """What has each service of an employer, as far as one authority may see it?"""

    KEY: ClassVar[str] = "request_id"
    type: Literal["advisory.timeline-requested.v1"] = "advisory.timeline-requested.v1"
    request_id: UUID
    business_id: BusinessId
    for_authority: str


class Fact(Part):
    """One fact of an employer's timeline."""

    matter_id: UUID
    what: str = Field(max_length=100)
    state: str = Field(max_length=50)
    at: Instant


class Withheld(Part):
    """That something is withheld, and why."""

    what: str = Field(max_length=100)
    reason: str = Field(max_length=200)


class TimelineAnswered(Event):
    """One service's facts. What the authority may see, the service that owns the matter has decided."""

    KEY: ClassVar[str] = "request_id"
    type: Literal["advisory.timeline-answered.v1"] = "advisory.timeline-answered.v1"
    request_id: UUID
    service: ServiceName
    facts: tuple[Fact, ...] = ()
    withheld: tuple[Withheld, ...] = ()


class WorkRequested(Event):
    """How much has each authority handled in each service within some days, both included?"""

    KEY: ClassVar[str] = "request_id"
    type: Literal["advisory.work-requested.v1"] = "advisory.work-requested.v1"
    request_id: UUID
    since: Day
    until: Day


class WorkDone(Part):
    """How many acts of handling an authority's officers did in a task of the agreement."""

    task: Task
    authority: str
    acts: int = Field(ge=0)


class WorkReported(Event):
    """One service's acts of handling by authority, from what stands in its store."""

    KEY: ClassVar[str] = "request_id"
    type: Literal["advisory.work-reported.v1"] = "advisory.work-reported.v1"
    request_id: UUID
    service: ServiceName
    done: tuple[WorkDone, ...] = ()


# -- who called, where a city keeps it --------------------------------------------------------------------------------


class CallerRequested(_AboutContact):
    """An officer who handles a contact asks the city that keeps its caller who called."""

    type: Literal["advisory.caller-requested.v1"] = "advisory.caller-requested.v1"
    request_id: UUID
    asked_by: str = Field(max_length=200, description="The token issuer's opaque subject.")
    authority: str = Field(description="The officer's.")
    service: ServiceName | None = Field(default=None, description="The service that was handed the contact.")
    purpose: str = Field(max_length=300)


class CallerAnswered(_AboutContact):
    """A city lets the officer read the caller at its own API for some days, or refuses, at once or later."""

    type: Literal["advisory.caller-answered.v1"] = "advisory.caller-answered.v1"
    office: str
    request_id: UUID
    state: Literal["granted", "refused"]
    reason: str | None = Field(default=None, max_length=300, description="Why it is refused.")
    readable_until: Instant | None = None
    at: Instant


class ContactReopened(_AboutContact):
    """A city's contact was answered or closed, and must be answered again: by mistake, or the answer did not arrive."""

    type: Literal["advisory.contact-reopened.v1"] = "advisory.contact-reopened.v1"
    office: str
    officer: str = Field(max_length=200, description="Whose it is.")
    reason: str = Field(max_length=300)
    at: Instant
    version: int | None = Field(default=None, ge=0, description="The version of the contact that the city saw.")


EVENTS: tuple[type[Event], ...] = (
    ContactSubmitted,
    ContactAssigned,
    ContactReleased,
    AnswerEntered,
    HandOverOverdue,
    ContactAnswered,
    ContactClosed,
    ContactRegistered,
    HandOverAsked,
    HandOverAcknowledged,
    OfficerListed,
    AnnouncementMade,
    AnnouncementReceived,
    GuidancePublished,
    MatterHandedOver,
    HandOverAnswered,
    TimelineRequested,
    TimelineAnswered,
    WorkRequested,
    WorkReported,
    CallerRequested,
    CallerAnswered,
    ContactReopened,
)
