"""Makes every object of a city's process once, top to bottom."""

from services.change_security import data
from services.change_security.authority import api, lists_api
from services.change_security.authority.commands import CityCases
from services.change_security.authority.handlers import HANDLERS
from services.change_security.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.process import Parts


def parts(settings: Settings, database: Database) -> Parts:  # noqa: ARG001 - both sides are made alike
    """Make what a city reads and serves."""
    cases = CityCases(settings.office, frozenset(settings.city_offices), data.rules())
    return Parts(inbound(settings), (lists_api.router, api.router), (cases,))


def inbound(settings: Settings) -> Inbound:
    """Say what a city reads: what the joint office addresses to it, which the joint office has examined itself."""
    return Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={topics.CHANGE_SECURITY_TO.name_for(settings.office): topics.CHANGE_SECURITY_TO},
        types=REGISTRY,
        handlers=HANDLERS,
    )
