"""Makes the parts of a city's process."""

from services.training.authority import api
from services.training.authority.commands import CityApplications
from services.training.authority.handlers import handlers_of
from services.training.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts


def parts(settings: Settings, database: Database) -> Parts:
    """Make the parts.

    Raises:
        ValueError: the city has no pool key: its references could then be linked to persons.
    """
    key = settings.pool_key.get_secret_value().encode()
    if not key:
        raise ValueError("POOL_KEY is missing: a city needs its own secret for opaque references")
    applications = CityApplications(frozenset(settings.city_offices), key)
    known = topics.expanded(settings.city_offices)
    names = (topics.TRAINING_TO.name_for(settings.office), topics.TRAINING_SHARED.name)
    inbound = Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={name: known[name] for name in names},
        types=REGISTRY,
        handlers=handlers_of(applications),
    )
    expiring = Periodic("expire seat offers", settings.sweep_seconds, lambda: applications.expire_offers(database))
    return Parts(inbound, [api.router], [applications], [expiring])
