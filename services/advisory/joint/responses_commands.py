"""How soon contacts are answered: the agreement's figures, as the management group decides, and what was reached."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.advisory.domain.response import (
    Channel,
    Reached,
    ResponseTime,
    channel_of,
    in_force,
    response_times_in,
)
from services.advisory.joint.responses_store import ResponseTimes
from shared.agreement import Agreements
from shared.calendar import OfficeHours, local_day, start_of
from shared.errors import RefusedError
from shared.events.v1.advisory import Contact
from shared.messaging.transaction import Transaction


@dataclass(frozen=True)
class JointResponses:
    """Response times.

    Attributes:
        shipped: those that hold until the agreement is published.
        hours: when the offices work.
    """

    shipped: tuple[ResponseTime, ...]
    hours: OfficeHours

    async def rules(self, tx: Transaction) -> list[ResponseTime]:
        """Return what is agreed, as shipped and as decided since."""
        published = (await Agreements(tx).figures()).published
        return list(self.shipped if published is None else response_times_in(published.figures))

    async def due_at(self, tx: Transaction, contact: Contact) -> datetime | None:
        """Return by when a contact is to be answered; None when nothing is agreed for its channel."""
        rule = in_force(await self.rules(tx), channel_of(contact), local_day(contact.received_at))
        return None if rule is None else self.hours.after(contact.received_at, rule.hours)

    async def reached(self, tx: Transaction, since: date, until: date) -> list[Reached]:
        """Return what was reached by each channel for contacts that came within some days, both included.

        Raises:
            RefusedError: the last day is before the first.
        """
        if until < since:
            raise RefusedError("/until", "before-since", "The last day is before the first.")
        rules = await self.rules(tx)
        counts = await ResponseTimes(tx).counts(start_of(since), start_of(until + timedelta(days=1)))
        by_channel = {count.channel: count for count in counts}
        reached = []
        for channel in Channel:
            rule, count = in_force(rules, channel, until), by_channel.get(channel)
            reached.append(
                Reached(
                    channel=channel,
                    hours=rule.hours if rule else None,
                    certainty=rule.certainty if rule else None,
                    received=count.received if count else 0,
                    in_time=count.in_time if count else 0,
                    late=count.late if count else 0,
                    open=count.open if count else 0,
                )
            )
        return reached
