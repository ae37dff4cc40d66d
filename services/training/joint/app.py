"""Makes the parts of the joint office's process."""

from datetime import timedelta

from services.training import data
from services.training.joint import api, drafts
from services.training.joint.advisory_view import ForAdvisory
from services.training.joint.commands.candidates import JointCandidates
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.commands.formation import JointFormations
from services.training.joint.commands.procurement import JointProcurement
from services.training.joint.commands.seats import JointSeats
from services.training.joint.handlers import handlers_of
from services.training.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.handover import api as hand_over_api
from shared.handover import handlers as hand_over_handlers
from shared.handover.commands import HandOverDesk
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.process import Parts


def parts(settings: Settings, database: Database) -> Parts:  # noqa: ARG001 - as the other side's
    """Make the parts."""
    seats = JointSeats(settings.city_offices, data.shares(), timedelta(hours=settings.answer_hours))
    catalogue = JointCatalogue(seats)
    candidates = JointCandidates(settings.city_offices)
    desk = HandOverDesk("training", ForAdvisory, drafts.prefill)
    known = topics.expanded(settings.city_offices)
    names = (
        *topics.TRAINING_FROM.names(settings.city_offices),
        topics.PLACEMENT_TRAINING.name,
        topics.ADVISORY_SERVICES.name,
        topics.CHANGE_SECURITY_SHARED.name,
        topics.VACANCIES_SHARED.name,
    )
    inbound = Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={name: known[name] for name in names},
        types=REGISTRY,
        handlers={**handlers_of(seats, candidates), **hand_over_handlers.handlers_of(desk)},
    )
    formations = JointFormations(catalogue, seats)
    procurement = JointProcurement(catalogue, data.procurement_rules())
    objects = [catalogue, seats, formations, procurement, candidates, desk]
    return Parts(inbound, [api.router, hand_over_api.router, hand_over_api.drafts, drafts.router], objects)
