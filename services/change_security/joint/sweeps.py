"""The joint office's periodic work on its own store, each run in a transaction of its own."""

from dataclasses import dataclass
from uuid import uuid4

from services.change_security.instruments import OVERDUE
from services.change_security.joint.commands import JointOffice
from shared.messaging.transaction import Database


@dataclass(frozen=True)
class Sweeps:
    """What is looked for again and again."""

    database: Database
    office: JointOffice

    async def read_directory(self) -> None:
        """Take imported municipalities and authorities into use."""
        async with self.database.read() as tx:
            await self.office.read_directory(tx)

    async def escalate(self) -> None:
        """Escalate overdue receipts; count those that were, once it is committed."""
        async with self.database.transaction(uuid4()) as tx:
            awaited = await self.office.escalate(tx)
        for what in awaited:
            OVERDUE.labels(what).inc()

    async def name_specialists(self) -> None:
        """Name specialists of joint matters that have none."""
        async with self.database.transaction(uuid4()) as tx:
            await self.office.staff_waiting(tx)
