"""Operators' acts on parked records: replay, dry run, discard. Each act has a reason and is audited.

A replay takes a record through the kernel's own steps, in a transaction of its own with the parked row locked: the
record is handled and closed together, or neither. What was held behind it follows in order, until one fails.
"""

from typing import Literal
from uuid import UUID

from opentelemetry.trace import Span

from shared.database import is_unavailable
from shared.errors import ConflictError, UnprocessableError
from shared.messaging.batch import BatchProcessor, exhausted, refusal_of
from shared.messaging.codec import Rejection
from shared.messaging.parking import Parking, Record
from shared.messaging.transaction import Transaction


class NotOpenError(ConflictError):
    """There is no such parked record, or it is no longer open."""

    def __init__(self) -> None:
        super().__init__("not-open", "There is no such parked record, or it is no longer open.")


class _DryRunError(Exception):
    """Ends a dry run: what the record did is rolled back."""


class Replay:
    """What operators do with an office's parked records."""

    def __init__(self, processor: BatchProcessor) -> None:
        self._processor = processor
        self._database = processor.database

    async def replay(self, parked_id: UUID, *, actor: str, reason: str) -> int:
        """Handle a parked record again, then those held behind it, in order, until one fails.

        Each replayed record starts a new trace linked to its old one.

        Returns:
            how many records were handled; 0 when the first failed again.

        Raises:
            NotOpenError: there is no such open record.
        """
        handled = 0
        following: UUID | None = parked_id
        while following is not None:
            try:
                outcome, following = await self._replay_one(following, actor, reason)
            except NotOpenError:
                if handled == 0:
                    raise
                break  # another operator was quicker
            if outcome == "failed":
                break
            handled += 1
        return handled

    async def dry_run(self, parked_id: UUID) -> Rejection | None:
        """Say what a replay would end with, and roll it back: None when the record would be handled.

        Raises:
            NotOpenError: there is no such open record.
        """
        try:
            await self._in_transaction(parked_id, "", "", is_dry_run=True)
        except NotOpenError:
            raise
        except _DryRunError:
            return None
        except Exception as error:  # noqa: BLE001 - what the replay would be parked with
            return _judged(error)
        return None

    async def discard(self, parked_id: UUID, *, actor: str, reason: str) -> int:
        """Give a parked record up, with a reason; what was held behind it is then handled, in order.

        Returns:
            how many held records were handled.

        Raises:
            NotOpenError: there is no such open record.
        """
        async with self._database.engine.connect() as connection, connection.begin():
            parking = Parking(connection)
            record = await _take(parking, parked_id)
            await parking.resolve(parked_id, "discarded", erase_codes=self._processor.inbound.erase_on_discard)
            await parking.audit(parked_id, "discard", "discarded", actor, reason)
            following = await parking.first_open(record)
        return await self.replay(following, actor=actor, reason=reason) if following else 0

    async def _replay_one(
        self, parked_id: UUID, actor: str, reason: str
    ) -> tuple[Literal["replayed", "failed"], UUID | None]:
        try:
            return "replayed", await self._in_transaction(parked_id, actor, reason)
        except NotOpenError:
            raise
        except Exception as error:  # noqa: BLE001 - judged on the next line
            why = _judged(error)
            async with self._database.engine.connect() as connection, connection.begin():
                parking = Parking(connection)
                record = await parking.take(parked_id)
                is_first = await parking.failed_again(parked_id, why.code, why.detail)
                await parking.audit(parked_id, "replay", f"failed: {why.code}", actor, reason)
                if is_first and record is not None:
                    tx = Transaction(connection, self._database)
                    await self._processor.answer(self._processor.read(record), why.code, tx)
                    await tx.finish()
            return "failed", None

    async def _in_transaction(
        self, parked_id: UUID, actor: str, reason: str, *, is_dry_run: bool = False
    ) -> UUID | None:
        """Handle one record and close it; return the next one of its key."""
        spans: list[Span] = []
        async with self._database.engine.connect() as connection, connection.begin():
            parking = Parking(connection)
            record = await _take(parking, parked_id)
            item = self._processor.read(record)
            if item.rejection is not None:
                raise UnprocessableError(item.rejection.detail, item.rejection.code)
            tx = Transaction(connection, self._database)
            # What is held by this very record must not wait for it: nothing counts as held here.
            new = await self._processor.claim(connection, [item], held=set())
            await self._processor.apply(item, tx, new, spans, as_child=False)
            await tx.finish()
            if is_dry_run:
                raise _DryRunError
            await parking.resolve(parked_id, "replayed")
            await parking.audit(parked_id, "replay", "replayed", actor, reason)
            following = await parking.first_open(record)
        tx.end_spans()
        for span in spans:
            span.end()
        return following


async def _take(parking: Parking, parked_id: UUID) -> Record:
    """Lock an open parked record, and its key against what is just arriving behind it.

    Raises:
        NotOpenError: there is no such open record.
    """
    record = await parking.take(parked_id)
    if record is None:
        raise NotOpenError
    if record.ordering_key is not None:
        await parking.lock(record.ordering_key)
    return record


def _judged(error: Exception) -> Rejection:
    """Return why a replay failed; an unavailable database judged nothing, and its error is raised."""
    if is_unavailable(error):
        raise error
    return refusal_of(error) or exhausted(error)
