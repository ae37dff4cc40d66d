"""What the joint office's process is made of: it reads other systems, every city, and the other services' answers."""

from uuid import uuid4

from services.advisory import data, letters_api
from services.advisory.joint import (
    agreement_api,
    api,
    callers_api,
    contacts_api,
    governance_api,
    public_api,
    review_api,
)
from services.advisory.joint.agreement_commands import JointAgreement
from services.advisory.joint.answers_commands import JointAnswers
from services.advisory.joint.callers_commands import JointCallers
from services.advisory.joint.commands import JointContacts, JointHandOvers, JointResources
from services.advisory.joint.deputies_commands import JointDeputies
from services.advisory.joint.email_intake import EmailIntake
from services.advisory.joint.governance_commands import JointGroups
from services.advisory.joint.handlers import handlers_of
from services.advisory.joint.joining_commands import JointJoining
from services.advisory.joint.mailing_commands import JointMailing
from services.advisory.joint.publications import JointAnnouncements, JointGuidance
from services.advisory.joint.questions import JointReviews, JointTimelines
from services.advisory.joint.reopening_commands import JointReopening
from services.advisory.joint.responses_commands import JointResponses
from services.advisory.joint.review_commands import JointKeptReviews
from services.advisory.outgoing import EmailDelivery
from services.advisory.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts
from shared.screening import ERASE_ON_DISCARD, screen


def parts(settings: Settings, database: Database) -> Parts:
    """Make the joint side."""
    contacts = contacts_of(settings)
    hand_overs = JointHandOvers(contacts, settings.acknowledge_hours)
    announcements = JointAnnouncements(settings.city_offices)
    guidance = JointGuidance(settings.authorities)
    reviews = JointReviews(contacts.resources)

    agreement = JointAgreement(data.first_agreement(), settings.authorities)
    deputies = JointDeputies(contacts)
    mailing = JointMailing(settings.public_url)
    answers = JointAnswers(hand_overs, settings.authorities)
    callers = JointCallers(contacts)
    reopening = JointReopening(contacts)

    async def sweep() -> None:
        async with database.transaction(uuid4()) as tx:
            await hand_overs.sweep(tx)
            await deputies.sweep(tx)

    async def publish() -> None:
        async with database.transaction(uuid4()) as tx:
            await mailing.publish(tx)

    async def publish_agreement() -> None:
        async with database.transaction(uuid4()) as tx:
            await agreement.publish_first(tx)

    read = {
        topics.CONTACTS_INBOUND.name: topics.CONTACTS_INBOUND,
        **dict.fromkeys(topics.ADVISORY_FROM.names(settings.city_offices), topics.ADVISORY_FROM),
        topics.SERVICES_ADVISORY.name: topics.SERVICES_ADVISORY,
    }
    return Parts(
        inbound=Inbound(
            group=f"{SERVICE}.{settings.office}",
            topics=read,
            types=REGISTRY,
            handlers=handlers_of(contacts, hand_overs, announcements, callers),
            screen=screen,
            erase_on_discard=ERASE_ON_DISCARD,
        ),
        routers=[
            *(room.router for room in (api, agreement_api, callers_api, contacts_api, governance_api)),
            *(room.router for room in (letters_api, public_api, review_api)),
        ],
        objects=[
            *(contacts, contacts.resources, contacts.responses, answers, JointJoining(contacts), callers, reopening),
            *(JointTimelines(), reviews, guidance, announcements, mailing),
            *(agreement, JointGroups(settings.authorities), JointKeptReviews(reviews)),
        ],
        periodic=[
            Periodic("assign and escalate", settings.sweep_seconds, sweep),
            Periodic("publish the agreement", settings.sweep_seconds, publish_agreement),
            Periodic("publish announcements", settings.sweep_seconds, publish),
            Periodic(
                "send e-mail",
                min(settings.sweep_seconds, 5.0),
                EmailDelivery(database, settings, reopening.undelivered).send_due,
            ),
            EmailIntake(contacts, database, settings.smtp_host, settings.smtp_port),
        ],
    )


def contacts_of(settings: Settings) -> JointContacts:
    """Make the queue of contacts."""
    resources = JointResources(data.agreed(), settings.authorities)
    responses = JointResponses(data.response_times(), settings.hours)
    return JointContacts(data.authority_of(), resources, settings.open_limit, responses)
