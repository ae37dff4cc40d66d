"""The queries of joint handling: the officers that cities list, their load, and each handling that was put in force.

What a choice is made by is read once in a transaction, and counted on in memory: a batch of notices shares it.
Index: `notice_led` serves the shares of the year; `notice_unstaffed` is partial, of what is to be looked at.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import and_
from sqlalchemy.dialects.postgresql import insert as insert_one
from sqlmodel import col, select

from services.change_security.domain.handling import Specialist, Staffing
from services.change_security.domain.notice import Notice, NoticeState
from services.change_security.joint.tables import WITHOUT_SPECIALIST, HandlingRow, NoticeRow, SpecialistRow
from shared.calendar import local_day, start_of
from shared.database import insert
from shared.events.v1.change_security import Handling, SpecialistListed
from shared.store import Store


class _Count(NamedTuple):
    name: str
    matters: int


class _Change(NamedTuple):
    notice_id: UUID
    version: int
    handling: Handling
    at: datetime


_HANDLING: Final = insert(HandlingRow, _Change)


@dataclass
class _Load:
    specialists: dict[str, Specialist]
    led: Counter[str]
    open: Counter[str]


class Specialists(Store):
    """The officers whom the cities list for change security."""

    async def list_specialist(self, event: SpecialistListed) -> None:
        """Write what a city says of its officer; an older version, or another city's officer, changes nothing."""
        listing = insert_one(SpecialistRow).values(
            officer=event.officer,
            authority=event.authority,
            version=event.version,
            languages=event.languages,
            person_years=event.person_years,
            absences=event.absences,
        )
        new = listing.excluded
        names = ("version", "languages", "person_years", "absences")
        await self._run(
            listing.on_conflict_do_update(
                index_elements=["officer"],
                set_={name: new[name] for name in names},
                where=and_(
                    col(SpecialistRow.version) < new["version"], col(SpecialistRow.authority) == new["authority"]
                ),
            )
        )
        self._tx.identity_map.pop("staffing", None)

    async def page(self, after: str | None, limit: int) -> Sequence[SpecialistRow]:
        """Return the listed officers, by officer."""
        officer = col(SpecialistRow.officer)
        query = select(SpecialistRow).order_by(officer).limit(limit)
        return await self._all(query if after is None else query.where(officer > after))

    async def staffing(self, agreed: dict[str, float]) -> Staffing:
        """Return what a lead and a specialist are chosen by now."""
        load = await self._load()
        specialists = [replace(listed, open=load.open[name]) for name, listed in load.specialists.items()]
        return Staffing(specialists, load.led, agreed, self._tx.clock.now())

    async def _load(self) -> _Load:
        known: _Load | None = self._tx.identity_map.get("staffing")
        if known is not None:
            return known
        year = local_day(self._tx.clock.now()).replace(month=1, day=1)
        led = await self._values(
            _Count,
            "SELECT lead AS name, count(*) AS matters FROM notice"
            " WHERE lead IS NOT NULL AND state <> 'merged' AND registered_at >= :since GROUP BY lead",
            since=start_of(year),
        )
        open_ = await self._values(
            _Count,
            "SELECT specialist AS name, count(*) AS matters FROM notice"
            " WHERE lead IS NOT NULL AND specialist IS NOT NULL AND state = 'open' GROUP BY specialist",
        )
        rows = await self._all(select(SpecialistRow).order_by(col(SpecialistRow.officer)))
        load = _Load(
            {
                row.officer: Specialist(
                    row.officer, row.authority, frozenset(row.languages), row.person_years, row.absences
                )
                for row in rows
            },
            Counter(dict(led)),
            Counter(dict(open_)),
        )
        self._tx.identity_map["staffing"] = load
        return load

    def count(self, before: Notice, after: Notice) -> None:
        """Count on what a notice's handling changes, for the choices that follow in this transaction."""
        load: _Load | None = self._tx.identity_map.get("staffing")
        if load is None:
            return
        load.led.subtract(filter(None, [before.lead]))
        load.led.update(filter(None, [after.lead]))
        load.open.subtract(filter(None, [before.specialist]))
        load.open.update(filter(None, [after.specialist]))


class Handlings(Store):
    """How notices are handled, and how they were."""

    def keep(self, notice: Notice, at: datetime) -> None:
        """Keep the handling that a version of a notice puts in force."""
        if notice.handling is not None:
            self._tx.stage(_HANDLING, _Change(notice.notice_id, notice.version, notice.handling, at))

    async def page(self, notice_id: UUID, limit: int, before: int | None) -> Sequence[HandlingRow]:
        """Return how a notice was handled, newest first."""
        query = select(HandlingRow).where(HandlingRow.notice_id == notice_id)
        if before is not None:
            query = query.where(HandlingRow.version < before)
        return await self._all(query.order_by(col(HandlingRow.version).desc()).limit(limit))

    async def unstaffed(self, limit: int, *, decided: bool) -> list[UUID]:
        """Lock and return open notices whose handling is to be looked at; none that another process has.

        `decided`: also joint ones that have no specialist; else only those whose handling was never decided.
        """
        return await self._values(
            UUID,
            f"SELECT notice_id FROM notice WHERE {WITHOUT_SPECIALIST}"  # noqa: S608 - a constant
            " AND (handling IS NULL OR :decided) ORDER BY notice_id LIMIT :limit FOR UPDATE SKIP LOCKED",
            limit=limit,
            decided=decided,
        )

    async def joint_matters(
        self, limit: int, after: UUID | None, specialists: Sequence[str] | None
    ) -> Sequence[NoticeRow]:
        """Return open joint matters; with `specialists`, those that have none of these."""
        query = select(NoticeRow).where(NoticeRow.state == NoticeState.OPEN, col(NoticeRow.lead).is_not(None))
        if specialists is not None:
            present = col(NoticeRow.specialist).in_(specialists)
            query = query.where(col(NoticeRow.specialist).is_(None) | ~present)
        if after is not None:
            query = query.where(col(NoticeRow.notice_id) > after)
        return await self._all(query.order_by(col(NoticeRow.notice_id)).limit(limit))
