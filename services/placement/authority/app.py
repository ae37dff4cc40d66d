"""What a placement process of a city is made of."""

from uuid import uuid4

from services.placement.authority import api, pool_api, vacancy_api
from services.placement.authority.commands import CityPool, CityReferrals
from services.placement.authority.handlers import CityHandlers
from services.placement.authority.vacancy_commands import CityVacancies
from services.placement.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts


def parts(settings: Settings, database: Database) -> Parts:
    """Make a city's side.

    Raises:
        ValueError: the city has no pool key.
    """
    pool = CityPool(settings.reference_key)
    vacancies = CityVacancies(pool)
    referrals = CityReferrals(frozenset(settings.city_offices))
    inbound = Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={topics.PLACEMENT_TO.name_for(settings.office): topics.PLACEMENT_TO},
        types=REGISTRY,
        handlers=CityHandlers(pool, referrals, vacancies).by_type(),
    )

    async def lapse_consents() -> None:
        async with database.transaction(uuid4()) as tx:
            await referrals.lapse_consents(tx)

    async def expire_offers() -> None:
        async with database.transaction(uuid4()) as tx:
            await referrals.expire_offers(tx)

    return Parts(
        inbound,
        routers=[pool_api.router, vacancy_api.router, api.router],
        objects=[pool, referrals, vacancies],
        periodic=[
            Periodic("expire job offers", settings.sweep_seconds, expire_offers),
            Periodic("lapse consents", settings.sweep_seconds, lapse_consents),
        ],
    )
