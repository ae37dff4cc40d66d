"""The messages of advisory to the services. Safe to redeliver: a matter is stored once."""

from shared.handover.commands import JointHandOvers
from shared.messaging.handlers import Handlers


def handlers_of(hand_overs: JointHandOvers) -> Handlers:
    """Return the handler of each event type on `between.advisory.services`."""
    return Handlers(hand_overs.receive, hand_overs.answer_timeline, hand_overs.report_work)
