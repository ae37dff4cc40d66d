"""Makes every object of the joint side once, top to bottom."""

from collections.abc import Mapping

from services.change_security import data
from services.change_security.domain.notice import Rulebook
from services.change_security.joint import (
    api,
    delivery_api,
    drafts,
    handlers,
    handling_api,
    lists_api,
    resolution_api,
    webhook_api,
)
from services.change_security.joint.acting_commands import JointActing
from services.change_security.joint.advisory_view import ForAdvisory
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.delivery_commands import Letters
from services.change_security.joint.email_delivery import EmailDelivery
from services.change_security.joint.email_intake import EmailIntake
from services.change_security.joint.resolution_commands import Coordination
from services.change_security.joint.sweeps import Sweeps
from services.change_security.joint.webhook_commands import WebhookDesk
from services.change_security.joint.webhook_delivery import WebhookDelivery
from services.change_security.settings import SERVICE, Settings
from shared import topics
from shared.events.registry import REGISTRY
from shared.handover.api import drafts as draft_list
from shared.handover.api import router as hand_over_list
from shared.handover.commands import JointHandOvers
from shared.handover.handlers import handlers_of
from shared.messaging.inbound import Inbound
from shared.messaging.transaction import Database
from shared.periodic import Periodic
from shared.process import Parts
from shared.screening import ERASE_ON_DISCARD, screen


def parts(settings: Settings, database: Database) -> Parts:
    """Make what the joint office reads, serves and looks after."""
    book = Rulebook(data.authorities(), data.rules(), data.agreed())
    office = JointOffice(book, shipped=data.authorities())
    acting = JointActing(book, frozenset(settings.city_offices))
    hand_overs = JointHandOvers("change_security", ForAdvisory, drafts.prefill)
    letters = Letters(office, settings.public_url)
    email = EmailDelivery(database, letters, settings)
    webhooks = WebhookDelivery(database, settings)
    sweeps = Sweeps(database, office)
    rooms = (lists_api, api, resolution_api, handling_api, delivery_api, webhook_api, drafts)
    return Parts(
        inbound(settings, office, acting, hand_overs),
        (*(room.router for room in rooms), delivery_api.pages, hand_over_list, draft_list),
        (office, Coordination(office), hand_overs, letters, WebhookDesk(settings.webhook_allow_loopback)),
        (
            Periodic("read directory", settings.sweep_seconds, sweeps.read_directory),
            Periodic("escalate overdue receipts", settings.sweep_seconds, sweeps.escalate),
            Periodic("name specialists", settings.sweep_seconds, sweeps.name_specialists),
            Periodic("send e-mail", min(settings.sweep_seconds, 5.0), email.send_due),
            Periodic("send to webhooks", min(settings.sweep_seconds, 2.0), webhooks.send_due),
            Periodic("forget webhook messages", 3600.0, webhooks.forget),
            EmailIntake(letters, database, settings.smtp_intake_host, settings.smtp_intake_port),
        ),
    )


def inbound(settings: Settings, office: JointOffice, acting: JointActing, hand_overs: JointHandOvers) -> Inbound:
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
        handlers={
            **handlers.handlers_of(office, acting, _receiving_systems(settings, office)),
            **handlers_of(hand_overs),
        },
        screen=screen,
        erase_on_discard=ERASE_ON_DISCARD,
        prepare=handlers.prepare,
        on_parked=handlers.refuse_submission,
    )


def _receiving_systems(settings: Settings, office: JointOffice) -> Mapping[str, str]:
    """Return the systems that are a receiving authority's.

    Raises:
        ValueError: an authority is not one of the shipped ones.
    """
    unknown = set(settings.receiving_systems.values()) - set(office.shipped.authorities)
    if unknown:
        message = f"RECEIVING_SYSTEMS names unknown authorities: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    return settings.receiving_systems
