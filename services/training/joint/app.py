"""Makes the parts of the joint office's process."""

from datetime import timedelta

from services.training import data
from services.training.joint import api, contract_api, document_api, drafts, plan_api, procurement_api, quota_api
from services.training.joint.advisory_view import ForAdvisory
from services.training.joint.commands.candidates import JointCandidates
from services.training.joint.commands.catalogue import JointCatalogue
from services.training.joint.commands.contracts import JointContracts
from services.training.joint.commands.formation import JointFormations
from services.training.joint.commands.participants import JointParticipants
from services.training.joint.commands.places import JointPlaces
from services.training.joint.commands.plans import JointPlans
from services.training.joint.commands.procurement import JointProcurement
from services.training.joint.commands.quotas import JointQuotas
from services.training.joint.commands.seats import JointSeats
from services.training.joint.commands.statements import JointStatements
from services.training.joint.handlers import handlers_of
from services.training.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.handover import api as hand_over_api
from shared.handover import handlers as hand_over_handlers
from shared.handover.commands import JointHandOvers
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts


def parts(settings: Settings, database: Database) -> Parts:
    """Make the parts."""
    answer_within = timedelta(hours=settings.answer_hours)
    seats = JointSeats(settings.city_offices, data.shares(), answer_within, settings.closes_at)
    catalogue = JointCatalogue(seats)
    candidates = JointCandidates(settings.city_offices)
    hand_overs = JointHandOvers("training", ForAdvisory, drafts.prefill)
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
        handlers={**handlers_of(seats, candidates), **hand_over_handlers.handlers_of(hand_overs)},
    )
    formations = JointFormations(catalogue, seats)
    procurement = JointProcurement(catalogue, data.procurement_rules())
    quotas = JointQuotas(settings.authorities)
    places = JointPlaces(seats)
    objects = [
        catalogue,
        seats,
        formations,
        procurement,
        candidates,
        hand_overs,
        quotas,
        JointPlans(catalogue),
        document_api.Appeals(data.appeal_instructions()),
        JointParticipants(seats),
        JointStatements(procurement),
        JointContracts(settings.authorities),
    ]
    telling = Periodic("tell places in the queues", settings.sweep_seconds, lambda: places.tell_all(database))
    rooms = (api, quota_api, plan_api, document_api, procurement_api, contract_api, hand_over_api)
    routers = [*(room.router for room in rooms), hand_over_api.drafts, drafts.router]
    return Parts(inbound, routers, objects, [telling])
