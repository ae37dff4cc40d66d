"""When a filing became available to authorities: legal evidence, kept for each that received it itself.

The clocks use the earliest own receipt. What a system states that is no receiving authority's is kept as claimed and
moves no clock.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from services.change_security.domain.notice import Channel


@dataclass(frozen=True, slots=True)
class OwnReceipt:
    """When an authority, or the joint office, received a filing itself."""

    authority: str
    arrived_at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class Arrival:
    """How one revision of a filing arrived. It has at least one receipt.

    Attributes:
        receipts: of each authority that received it itself.
        claimed: an earlier arrival that its sender states, and that is no authority's own word.
    """

    receipts: tuple[OwnReceipt, ...]
    claimed: datetime | None = None

    @property
    def at(self) -> datetime:
        """The earliest receipt by an authority."""
        return min(receipt.arrived_at for receipt in self.receipts)

    def joined(self, other: "Arrival") -> "Arrival":
        """Return the arrival with the receipts of authorities that received the same later. The first of each stays."""
        known = {receipt.authority for receipt in self.receipts}
        more = tuple(receipt for receipt in other.receipts if receipt.authority not in known)
        return replace(self, receipts=self.receipts + more)


def arrived_by_http(authority: str, at: datetime, channel: Channel) -> Arrival:
    """Return the arrival of what was filed or registered over HTTP."""
    return Arrival((OwnReceipt(authority, at, channel),))


def arrived_by_topic(
    joint_office: str, received_at: datetime, stated: datetime | None, receiving_authority: str | None
) -> Arrival:
    """Return the arrival of what another system submitted.

    Args:
        joint_office: which received it from the topic.
        received_at: when.
        stated: the arrival that the system states. It cannot lie after the receipt.
        receiving_authority: whose system it is, if it is registered as a receiving authority's.
    """
    own = OwnReceipt(joint_office, received_at, Channel.TOPIC)
    if stated is None or stated >= received_at:
        return Arrival((own,))
    if receiving_authority is None:
        return Arrival((own,), claimed=stated)
    return Arrival((OwnReceipt(receiving_authority, stated, Channel.TOPIC), own))


def arrived_by_authority(joint_office: str, received_at: datetime, authority: str, arrived_at: datetime) -> Arrival:
    """Return the arrival of what a city registered itself. Its receipt cannot lie after the joint office's."""
    return Arrival(
        (
            OwnReceipt(authority, min(arrived_at, received_at), Channel.AUTHORITY),
            OwnReceipt(joint_office, received_at, Channel.AUTHORITY),
        )
    )
