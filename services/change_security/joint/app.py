"""Makes every object of the joint side once, top to bottom."""

from services.change_security import data
from services.change_security.domain.notice import Rulebook
from services.change_security.joint import api, handlers, resolution_api
from services.change_security.joint.advisory_view import ForAdvisory
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.email_delivery import EmailDelivery
from services.change_security.joint.resolution_commands import Coordination
from services.change_security.joint.sweeps import Sweeps
from services.change_security.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.handover.api import router as hand_overs
from shared.handover.commands import HandOverDesk
from shared.handover.handlers import handlers_of
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts
from shared.screening import ERASE_ON_DISCARD, screen


def parts(settings: Settings, database: Database) -> Parts:
    """Make what the joint office reads, serves and looks after."""
    office = JointOffice(Rulebook(data.authorities(), data.rules()), shipped=data.authorities())
    desk = HandOverDesk("change_security", ForAdvisory)
    email = EmailDelivery(database, office, settings)
    sweeps = Sweeps(database, office)
    return Parts(
        inbound(settings, office, desk),
        (api.router, resolution_api.router, hand_overs),
        (office, Coordination(office), desk),
        (
            Periodic("read directory", settings.sweep_seconds, sweeps.read_directory),
            Periodic("escalate overdue receipts", settings.sweep_seconds, sweeps.escalate),
            Periodic("send e-mail", min(settings.sweep_seconds, 5.0), email.send_due),
        ),
    )


def inbound(settings: Settings, office: JointOffice, desk: HandOverDesk) -> Inbound:
    """Say what the joint office reads: other systems, every city, and advisory."""
    names = (
        topics.CHANGE_NOTICES_INBOUND.name,
        *topics.CHANGE_SECURITY_FROM.names(settings.city_offices),
        topics.ADVISORY_SERVICES.name,
    )
    by_name = topics.expanded(settings.city_offices)
    return Inbound(
        group=f"{SERVICE}.{settings.office}",
        topics={name: by_name[name] for name in names},
        types=REGISTRY,
        handlers={**handlers.handlers_of(office), **handlers_of(desk)},
        screen=screen,
        erase_on_discard=ERASE_ON_DISCARD,
        prepare=handlers.prepare,
    )
