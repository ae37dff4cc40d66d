"""The messages of advisory to the services. Safe to redeliver: a matter is stored once."""

from shared.handover.commands import HandOverDesk
from shared.messaging.handlers import Handlers


def handlers_of(desk: HandOverDesk) -> Handlers:
    """Return the handler of each event type on `between.advisory.services`."""
    return Handlers(desk.receive, desk.answer_timeline, desk.report_work)
