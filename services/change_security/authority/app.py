"""Makes every object of a city's process once, top to bottom."""

from services.change_security import data
from services.change_security.authority import acting_api, api, lists_api, plan_api, specialist_api
from services.change_security.authority.acting_commands import CityActing
from services.change_security.authority.commands import CityCases
from services.change_security.authority.handlers import handlers_of
from services.change_security.authority.plan_commands import CityPlans
from services.change_security.authority.specialist_commands import CitySpecialists
from services.change_security.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.process import Parts


def parts(settings: Settings, database: Database) -> Parts:  # noqa: ARG001 - both sides are made alike
    """Make what a city reads and serves."""
    rules = data.rules()
    cases = CityCases(settings.office, rules)
    acting = CityActing(settings.office, frozenset(settings.city_offices), rules)
    plans = CityPlans(settings.office)
    return Parts(
        inbound(settings, plans, acting),
        tuple(room.router for room in (lists_api, api, acting_api, plan_api, specialist_api)),
        (cases, acting, plans, CitySpecialists()),
    )


def inbound(settings: Settings, plans: CityPlans, acting: CityActing) -> Inbound:
    """Say what a city reads: what the joint office addresses to it, which the joint office has examined itself."""
    return Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={topics.CHANGE_SECURITY_TO.name_for(settings.office): topics.CHANGE_SECURITY_TO},
        types=REGISTRY,
        handlers=handlers_of(plans, acting),
    )
