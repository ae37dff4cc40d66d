"""What a placement process of the joint office is made of."""

from datetime import timedelta
from uuid import uuid4

import shared.handover.api
from services.placement import data
from services.placement.joint import api, drafts, feed_api
from services.placement.joint.advisory_view import ForAdvisory
from services.placement.joint.commands import JointAssignments, JointVacancies
from services.placement.joint.handlers import JointHandlers
from services.placement.joint.referral_commands import JointReferrals
from services.placement.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.handover.commands import JointHandOvers
from shared.handover.handlers import handlers_of
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts
from shared.screening import ERASE_ON_DISCARD, screen


def parts(settings: Settings, database: Database) -> Parts:
    """Make the joint side."""
    vacancies = JointVacancies()
    assignments = JointAssignments(settings.city_offices, timedelta(seconds=settings.answer_seconds))
    referrals = JointReferrals(vacancies, data.offer_rules())
    handlers = JointHandlers(vacancies, assignments, referrals, timedelta(days=settings.supply_days))
    hand_overs = JointHandOvers(SERVICE, ForAdvisory, drafts.prefill)
    names = (
        topics.VACANCIES_INBOUND.name,
        topics.CHANGE_SECURITY_SHARED.name,
        topics.TRAINING_PLACEMENT.name,
        topics.ADVISORY_SERVICES.name,
        *topics.PLACEMENT_FROM.names(settings.city_offices),
    )
    known = topics.expanded(settings.city_offices)
    inbound = Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={name: known[name] for name in names},
        types=REGISTRY,
        handlers={**handlers.by_type(), **handlers_of(hand_overs)},
        screen=screen,
        erase_on_discard=ERASE_ON_DISCARD,
    )

    async def expire_vacancies() -> None:
        async with database.transaction(uuid4()) as tx:
            await vacancies.expire(tx)

    return Parts(
        inbound,
        routers=[api.router, feed_api.router, shared.handover.api.router, shared.handover.api.drafts, drafts.router],
        objects=[vacancies, assignments, referrals, hand_overs],
        periodic=[Periodic("expire vacancies", settings.sweep_seconds, expire_vacancies)],
    )
