"""What a city's process is made of: it reads what is addressed to the city, and the guidance."""

from services.advisory import letters_api
from services.advisory.authority import api, callers_api
from services.advisory.authority.callers_commands import CityCallers
from services.advisory.authority.commands import CityAdvisers, CityAnnouncements, CityContacts
from services.advisory.authority.handlers import handlers_of
from services.advisory.outgoing import EmailDelivery
from services.advisory.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts


def parts(settings: Settings, database: Database) -> Parts:
    """Make the authority side."""
    contacts = CityContacts(frozenset(settings.city_offices) - {settings.office})
    announcements = CityAnnouncements()
    callers = CityCallers()
    email = EmailDelivery(database, settings, contacts.undelivered)
    read = {
        topics.ADVISORY_TO.name_for(settings.office): topics.ADVISORY_TO,
        topics.ADVISORY_SHARED.name: topics.ADVISORY_SHARED,
    }
    return Parts(
        inbound=Inbound(
            group=f"{SERVICE}.{settings.office}",
            topics=read,
            types=REGISTRY,
            handlers=handlers_of(contacts, announcements, callers),
        ),
        routers=[api.router, callers_api.router, letters_api.router],
        objects=[contacts, CityAdvisers(), announcements, callers],
        periodic=[Periodic("send e-mail", min(settings.sweep_seconds, 5.0), email.send_due)],
    )
