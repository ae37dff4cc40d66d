"""Every topic: name, key, partitions, retention, who writes, who reads.

Names have dots and hyphens, never underscores, the version last. The prefixes make access lists per office possible:
an office writes `from.<office>.` and reads `to.<office>.`, and nothing of another office's. What one service asks of
another within the joint office stands on `between.<writer>.<reader>.`, which no city reads.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final, Literal

from shared.events.envelope import Event
from shared.events.v1 import advisory as ad
from shared.events.v1 import change_security as cs
from shared.events.v1 import placement as pl
from shared.events.v1 import training as tr


@dataclass(frozen=True)
class Topic:
    """One topic, or one topic per office where the name has `{office}` in it.

    Attributes:
        name: the name; `{office}` stands for each city office.
        key: the id whose order matters.
        types: the event types that may stand on it. Types whose order matters share a topic.
        retention: how long Kafka keeps a record; None keeps the last one of each key (compaction).
        writes, reads: who does, in words for the catalogue.
        max_message_bytes: the largest record that Kafka accepts.
        broker_time: whether the broker writes the time of a record: the time of arrival is legal evidence.
        speaker: the field of every event on it that says for which office the event speaks. It must be the office in
            the topic's name: only an office's own topic may carry its word.
        unknown_types: what a reader does with an event type it does not know. What is addressed to it is parked;
            facts that everyone may read are passed over.
    """

    name: str
    key: str
    writes: str
    reads: str
    types: frozenset[str]
    partitions: int = 4
    retention: timedelta | None = timedelta(days=14)
    max_message_bytes: int = 1_048_588
    broker_time: bool = False
    speaker: str | None = None
    unknown_types: Literal["park", "ignore"] = "park"

    @property
    def per_office(self) -> bool:
        """Whether there is one such topic for each city office."""
        return "{office}" in self.name

    def name_for(self, office: str | None = None) -> str:
        """Return the topic's name in Kafka.

        Raises:
            ValueError: an office is missing, or given for a topic that has none.
        """
        if self.per_office != (office is not None):
            message = f"topic {self.name} {'needs' if self.per_office else 'takes no'} office"
            raise ValueError(message)
        return self.name.format(office=office)

    def names(self, offices: Iterable[str]) -> tuple[str, ...]:
        """Return all names of this topic in Kafka."""
        return tuple(self.name_for(office) for office in offices) if self.per_office else (self.name,)

    def may_carry(self, event: Event, name: str) -> bool:
        """Whether the event speaks for the office whose topic `name` is."""
        return self.speaker is None or self.name_for(str(getattr(event, self.speaker))) == name

    @property
    def config(self) -> dict[str, str]:
        """The topic's configuration in Kafka."""
        keep = (
            {"cleanup.policy": "compact"}
            if self.retention is None
            else {"cleanup.policy": "delete", "retention.ms": str(int(self.retention.total_seconds() * 1000))}
        )
        time = {"message.timestamp.type": "LogAppendTime"} if self.broker_time else {}
        return keep | time | {"max.message.bytes": str(self.max_message_bytes)}


def _types(*events: type[Event]) -> frozenset[str]:
    return frozenset(event.type_name() for event in events)


CHANGE_NOTICES_INBOUND: Final = Topic(
    name="inbound.change-notices.v1",
    key="notice_id",
    writes="other systems",
    reads="change_security @ joint office",
    # Other systems may send more than we accept: it must arrive to be parked and seen.
    max_message_bytes=4_194_304,
    broker_time=True,
    types=_types(cs.NoticeSubmitted, cs.NoticeWithdrawalSubmitted),
)
CHANGE_SECURITY_TO: Final = Topic(
    name="to.{office}.change-security.v1",
    key="notice_id",
    writes="change_security @ joint office",
    reads="change_security @ each city",
    types=_types(
        cs.NoticeAssigned,
        cs.NoticeAmended,
        cs.NoticeReleased,
        cs.NoticeWithdrawn,
        cs.NoticeClosed,
        cs.HandlingChanged,
        cs.ReceiptOverdue,
        cs.PlanChanged,
        cs.ActingChanged,
        cs.NoticeAskedAgain,
        cs.NoticeMerged,
    ),
)
CHANGE_SECURITY_FROM: Final = Topic(
    name="from.{office}.change-security.v1",
    key="notice_id, officer",
    writes="change_security @ each city",
    reads="change_security @ joint office",
    speaker="authority",
    types=_types(
        cs.NoticeStored,
        cs.NoticeAcknowledged,
        cs.NoticeDeclined,
        cs.NoticeTaken,
        cs.CaseClosed,
        cs.NoticeFiled,
        cs.NoticeWithdrawalFiled,
        cs.PartReturned,
        cs.SpecialistListed,
        cs.PlanStepReported,
        cs.ActingReported,
    ),
)
CHANGE_SECURITY_SHARED: Final = Topic(
    name="shared.change-security.v1",
    key="notice_id",
    writes="change_security @ joint office",
    reads="everyone",
    retention=timedelta(days=90),
    unknown_types="ignore",
    types=_types(cs.WorkforceReleased),
)
CHANGE_NOTICES_RECEIPTS: Final = Topic(
    name="receipts.change-notices.v1",
    key="notice_id",
    writes="change_security @ joint office",
    reads="the systems that file",
    unknown_types="ignore",
    types=_types(
        cs.FilingAccepted,
        cs.FilingRevised,
        cs.FilingReassigned,
        cs.FilingMerged,
        cs.FilingWithdrawn,
        cs.FilingClosed,
        cs.FilingRefused,
    ),
)

VACANCIES_INBOUND: Final = Topic(
    name="inbound.vacancies.v1",
    key="vacancy_id",
    writes="other systems",
    reads="placement @ joint office",
    max_message_bytes=4_194_304,
    broker_time=True,
    types=_types(pl.VacancySubmitted, pl.VacancyStatusSubmitted),
)
PLACEMENT_TO: Final = Topic(
    name="to.{office}.placement.v1",
    key="assignment_id, referral_id, vacancy_id",
    writes="placement @ joint office",
    reads="placement @ each city",
    types=_types(
        pl.CandidatesRequested,
        pl.ReferralRequested,
        pl.JobOfferMade,
        pl.ReferralEnded,
        pl.JobOfferConsequence,
        pl.VacancyRegistered,
    ),
)
PLACEMENT_FROM: Final = Topic(
    name="from.{office}.placement.v1",
    key="assignment_id, referral_id, vacancy_id",
    writes="placement @ each city",
    reads="placement @ joint office",
    speaker="office",
    types=_types(
        pl.CandidatesAnswered,
        pl.ReferralAnswered,
        pl.JobOfferAnswered,
        pl.ConsentEnded,
        pl.VacancyTaken,
        pl.OwnPoolAsked,
    ),
)
VACANCIES_SHARED: Final = Topic(
    name="shared.placement.vacancies.v1",
    key="vacancy_id",
    writes="placement @ joint office",
    reads="everyone",
    retention=None,
    unknown_types="ignore",
    types=_types(pl.VacancyPublished),
)

TRAINING_TO: Final = Topic(
    name="to.{office}.training.v1",
    key="application_id, invitation_id, course_id",
    writes="training @ joint office",
    reads="training @ each city",
    types=_types(
        tr.SeatOffered, tr.ApplicationDecided, tr.ApplicationHandedOver, tr.ApplicantInvited, tr.QueuePlacesChanged
    ),
)
TRAINING_FROM: Final = Topic(
    name="from.{office}.training.v1",
    key="application_id",
    writes="training @ each city",
    reads="training @ joint office",
    speaker="office",
    types=_types(
        tr.ApplicationReceived,
        tr.ApplicationWithdrawn,
        tr.SeatAnswered,
        tr.ApplicationTransferred,
        tr.ApplicationIdentified,
    ),
)
TRAINING_SHARED: Final = Topic(
    name="shared.training.v1",
    key="course_id, group_id",
    writes="training @ joint office",
    reads="everyone",
    retention=None,
    unknown_types="ignore",
    types=_types(tr.CoursePublished, tr.GroupPublished),
)
TRAINING_PLACEMENT: Final = Topic(
    name="between.training.placement.v1",
    key="group_id",
    writes="training @ joint office",
    reads="placement @ joint office",
    types=_types(tr.CandidatesWanted),
)
PLACEMENT_TRAINING: Final = Topic(
    name="between.placement.training.v1",
    key="group_id",
    writes="placement @ joint office",
    reads="training @ joint office",
    types=_types(pl.CandidatesGathered),
)

CONTACTS_INBOUND: Final = Topic(
    name="inbound.contacts.v1",
    key="contact_id",
    writes="other systems",
    reads="advisory @ joint office",
    max_message_bytes=4_194_304,
    broker_time=True,
    types=_types(ad.ContactSubmitted),
)
ADVISORY_TO: Final = Topic(
    name="to.{office}.advisory.v1",
    key="contact_id, announcement_id",
    writes="advisory @ joint office",
    reads="advisory @ each city",
    types=_types(ad.ContactAssigned, ad.ContactReleased, ad.HandOverOverdue, ad.AnnouncementMade, ad.AnswerEntered),
)
ADVISORY_FROM: Final = Topic(
    name="from.{office}.advisory.v1",
    key="contact_id, officer, announcement_id",
    writes="advisory @ each city",
    reads="advisory @ joint office",
    speaker="office",
    types=_types(
        ad.ContactAnswered,
        ad.ContactClosed,
        ad.ContactRegistered,
        ad.HandOverAsked,
        ad.HandOverAcknowledged,
        ad.OfficerListed,
        ad.AnnouncementReceived,
    ),
)
ADVISORY_SHARED: Final = Topic(
    name="shared.advisory.v1",
    key="article_id",
    writes="advisory @ joint office",
    reads="everyone",
    retention=None,
    unknown_types="ignore",
    types=_types(ad.GuidancePublished),
)
ADVISORY_SERVICES: Final = Topic(
    name="between.advisory.services.v1",
    key="hand_over_id, request_id",
    writes="advisory @ joint office",
    reads="change_security, placement, training @ joint office",
    types=_types(ad.MatterHandedOver, ad.TimelineRequested, ad.WorkRequested),
)
SERVICES_ADVISORY: Final = Topic(
    name="between.services.advisory.v1",
    key="hand_over_id, request_id",
    writes="change_security, placement, training @ joint office",
    reads="advisory @ joint office",
    types=_types(ad.HandOverAnswered, ad.TimelineAnswered, ad.WorkReported),
)

TOPICS: Final = (
    CHANGE_NOTICES_INBOUND,
    CHANGE_SECURITY_TO,
    CHANGE_SECURITY_FROM,
    CHANGE_SECURITY_SHARED,
    CHANGE_NOTICES_RECEIPTS,
    VACANCIES_INBOUND,
    PLACEMENT_TO,
    PLACEMENT_FROM,
    VACANCIES_SHARED,
    TRAINING_TO,
    TRAINING_FROM,
    TRAINING_SHARED,
    TRAINING_PLACEMENT,
    PLACEMENT_TRAINING,
    CONTACTS_INBOUND,
    ADVISORY_TO,
    ADVISORY_FROM,
    ADVISORY_SHARED,
    ADVISORY_SERVICES,
    SERVICES_ADVISORY,
)


@cache
def _by_type() -> dict[str, Topic]:
    return {name: topic for topic in TOPICS for name in topic.types}


def topic_of(event_type: str) -> Topic:
    """Return the topic that an event type stands on: each stands on one.

    Raises:
        KeyError: no topic has it.
    """
    return _by_type()[event_type]


def expanded(offices: Iterable[str]) -> dict[str, Topic]:
    """Return every topic by its name in Kafka."""
    offices = tuple(offices)
    return {name: topic for topic in TOPICS for name in topic.names(offices)}


def written_by(service: str, office: str, cities: Iterable[str]) -> tuple[str, ...]:
    """Return the topics that a process writes, by their names in Kafka."""
    cities = tuple(cities)
    name = service.replace("-", "_")  # as the table's words have it
    found: list[str] = []
    for topic in TOPICS:
        services, _, place = topic.writes.partition(" @ ")
        if name in services.split(", ") and (place == "each city") == (office in cities):
            found += [topic.name_for(office)] if office in cities else topic.names(cities)
    return tuple(found)
