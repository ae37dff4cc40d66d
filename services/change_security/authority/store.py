"""The queries of a city's office. Hot paths write in bulk: a store stages values, the kernel flushes them together.

Index: `authority_case_stored` serves the list (newest first, keyset pages).
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.change_security.authority.tables import CaseCheckRow, CaseNoteRow, CaseRevisionRow, CaseRow, CaseStepRow
from services.change_security.domain.case import CaseState, StepState
from services.change_security.domain.own_case import Case, NewCase
from shared.database import Bulk, column_types, insert
from shared.events.v1.change_security import Filing, HandlingChanged, Outcome, ReceiptOverdue
from shared.store import Store


class CaseEnd(NamedTuple):
    """How a case ends, by a message of the joint office."""

    notice_id: UUID
    state: CaseState
    version: int
    revision: int
    authority: str
    outcome: Outcome | None
    stored_at: datetime
    merged_into: UUID | None = None


class _Revision(NamedTuple):
    notice_id: UUID
    revision: int
    filing: Filing
    stored_at: datetime


_ASKED_ANEW = """excluded.version > authority_case.version AND excluded.asked_version > authority_case.asked_version
    AND (authority_case.asked_version > 0 OR excluded.asked_because <> 'assigned')"""
"""The authority is asked again: what its officers answered before was to an earlier question. Not so when the joint
office first sends what this city registered itself."""


def _when_asked(value: str, column: str) -> str:
    return f"CASE WHEN {_ASKED_ANEW} THEN {value} ELSE authority_case.{column} END"


_CASE: Final = insert(
    CaseRow,
    NewCase,
    columns=(
        "notice_id",
        "version",
        "revision",
        "competent_authority",
        "handling_mode",
        "reasons",
        "missing",
        "arrived_at",
        "registered_at",
        "acknowledge_by",
        "stored_at",
        "trace_id",
        "asked_version",
        "asked_because",
        "asked_reason",
    ),
    attributes={"competent_authority": "authority"},
    literals={"state": "'open'", "acting_authority": "competent_authority"},
    replace={
        "state": f"""CASE WHEN excluded.version > authority_case.version AND authority_case.state = 'released'
                      OR {_ASKED_ANEW} AND (authority_case.state = 'closed' OR excluded.asked_because IN
                                            ('insisted', 'reopened', 'unmerged'))
                     THEN 'open' ELSE authority_case.state END""",
        "version": "greatest(excluded.version, authority_case.version)",
        "revision": "greatest(excluded.revision, authority_case.revision)",
        "handling_mode": """CASE WHEN authority_case.acting_authority = authority_case.competent_authority
                             AND authority_case.acknowledged_at IS NULL
                            THEN excluded.handling_mode ELSE authority_case.handling_mode END""",
        "reasons": "excluded.reasons",
        "missing": """CASE WHEN excluded.revision >= authority_case.revision
                      THEN excluded.missing ELSE authority_case.missing END""",
        "arrived_at": "coalesce(authority_case.arrived_at, excluded.arrived_at)",
        "registered_at": "coalesce(authority_case.registered_at, excluded.registered_at)",
        "acknowledge_by": f"""CASE WHEN {_ASKED_ANEW} THEN excluded.acknowledge_by
                              ELSE coalesce(authority_case.acknowledge_by, excluded.acknowledge_by) END""",
        "outcome": _when_asked("NULL", "outcome"),
        "merged_into": _when_asked("NULL", "merged_into"),
        "overdue": _when_asked("NULL", "overdue"),
        "acknowledged_at": _when_asked("NULL", "acknowledged_at"),
        "declined_at": _when_asked("NULL", "declined_at"),
        "decline_reason": _when_asked("NULL", "decline_reason"),
        "asked_because": _when_asked("excluded.asked_because", "asked_because"),
        "asked_reason": _when_asked("excluded.asked_reason", "asked_reason"),
        "asked_version": "greatest(excluded.asked_version, authority_case.asked_version)",
    },
    version="version",
    unless="authority_case.arrived_at IS NULL",
)
"""An older version arriving late changes nothing, but fills in a case whose end overtook its beginning. A newer one
opens a released case again; it does not undo a withdrawal, or this authority's own closing, unless it asks anew."""

_CASE_REVISION: Final = insert(CaseRevisionRow, _Revision)

_CASE_END: Final = insert(
    CaseRow,
    CaseEnd,
    columns=("notice_id", "state", "version", "revision", "competent_authority", "outcome", "stored_at", "merged_into"),
    attributes={"competent_authority": "authority"},
    literals={
        "acting_authority": "competent_authority",
        "handling_mode": "'joint'",
        "reasons": "'[]'",
        "missing": "'[]'",
        "asked_version": "0",
        "asked_because": "'assigned'",
    },
    replace={
        "state": "excluded.state",
        "version": "excluded.version",
        "outcome": "excluded.outcome",
        "overdue": "NULL",
        "merged_into": "excluded.merged_into",
    },
    version="version",
)
"""An end that overtakes its beginning is kept, so that the late beginning does not open the case."""

_CASE_HANDLING: Final = Bulk[HandlingChanged](
    """
    UPDATE authority_case SET
        version = rows.version, handling_mode = rows.handling_mode, acting_authority = rows.acting_authority
    FROM {rows} WHERE authority_case.notice_id = rows.notice_id AND authority_case.version < rows.version
    """,
    column_types(CaseRow, ("notice_id", "version", "handling_mode", "acting_authority")),
    key=("notice_id",),
    version="version",
)

_CASE_OVERDUE: Final = Bulk[ReceiptOverdue](
    """
    UPDATE authority_case SET overdue = rows.overdue FROM {rows}
    WHERE authority_case.notice_id = rows.notice_id AND authority_case.acknowledged_at IS NULL
      AND authority_case.state = 'open'
    """,
    column_types(CaseRow, ("notice_id", "overdue")),
    attributes={"overdue": "awaiting"},
    key=("notice_id",),
)

_CASE_FIELDS: Final = tuple(field.name for field in fields(Case))
_CASE_VALUES: Final = attrgetter(*_CASE_FIELDS)


class Cases(Store):
    """An authority's own cases."""

    def add(self, case: NewCase) -> None:
        """Open a case, or bring it to a newer version. Safe to repeat, and in any order."""
        self._tx.stage(_CASE, case)
        self.add_revision(case.notice_id, case.revision, case.filing, case.stored_at)

    def add_revision(self, notice_id: UUID, revision: int, filing: Filing, at: datetime) -> None:
        """Keep a revision of the filing."""
        self._tx.stage(_CASE_REVISION, _Revision(notice_id, revision, filing, at))

    def end(self, end: CaseEnd) -> None:
        """End a case at a newer version."""
        self._tx.stage(_CASE_END, end)

    def set_handling(self, event: HandlingChanged) -> None:
        """Set who acts in the case at a newer version."""
        self._tx.stage(_CASE_HANDLING, event)

    def mark_overdue(self, event: ReceiptOverdue) -> None:
        """Mark a case whose receipt is late."""
        self._tx.stage(_CASE_OVERDUE, event)

    async def lock(self, notice_id: UUID) -> CaseRow | None:
        """Return a case to be changed by an officer, locked."""
        return await self._get(CaseRow, notice_id, lock=True)

    async def read(self, notice_id: UUID) -> CaseRow | None:
        """Return a case."""
        return await self._get(CaseRow, notice_id)

    async def filing(self, notice_id: UUID, revision: int) -> Filing | None:
        """Return one revision of a case's filing."""
        row = await self._get(CaseRevisionRow, notice_id, revision)
        return row.filing if row else None

    async def revisions(self, notice_id: UUID, limit: int, after: int | None) -> Sequence[CaseRevisionRow]:
        """Return the revisions this authority has received, oldest first."""
        query = select(CaseRevisionRow).where(CaseRevisionRow.notice_id == notice_id)
        if after is not None:
            query = query.where(CaseRevisionRow.revision > after)
        return await self._all(query.order_by(col(CaseRevisionRow.revision)).limit(limit))

    async def page(
        self, *, state: CaseState | None, specialist: str | None, limit: int, before: tuple[datetime, UUID] | None
    ) -> Sequence[CaseRow]:
        """Return cases, newest first."""
        query = select(CaseRow)
        if state is not None:
            query = query.where(CaseRow.state == state)
        if specialist is not None:
            query = query.where(CaseRow.specialist == specialist)
        if before is not None:
            query = query.where(tuple_(col(CaseRow.stored_at), col(CaseRow.notice_id)) < before)
        return await self._all(
            query.order_by(col(CaseRow.stored_at).desc(), col(CaseRow.notice_id).desc()).limit(limit)
        )

    async def steps(self, notice_id: UUID) -> Sequence[CaseStepRow]:
        """Return the steps that are done or not needed."""
        return await self._all(select(CaseStepRow).where(CaseStepRow.notice_id == notice_id))

    async def set_step(self, notice_id: UUID, step: str, state: StepState, by: str) -> None:
        """Set a step's state."""
        await self._tx.session.merge(
            CaseStepRow(notice_id=notice_id, step=step, state=state, at=self._tx.clock.now(), by=by)
        )

    async def checks(self, notice_id: UUID) -> Sequence[CaseCheckRow]:
        """Return the checklist items that are checked."""
        return await self._all(select(CaseCheckRow).where(CaseCheckRow.notice_id == notice_id))

    async def set_check(self, notice_id: UUID, item: str, by: str, *, checked: bool) -> None:
        """Check a checklist item, or uncheck it."""
        row = await self._get(CaseCheckRow, notice_id, item)
        if row is not None and not checked:
            await self._tx.session.delete(row)
        elif row is None and checked:
            self._tx.session.add(CaseCheckRow(notice_id=notice_id, item=item, at=self._tx.clock.now(), by=by))

    async def notes(self, notice_id: UUID, limit: int, after: int | None) -> Sequence[CaseNoteRow]:
        """Return the officers' notes, oldest first."""
        query = select(CaseNoteRow).where(CaseNoteRow.notice_id == notice_id)
        if after is not None:
            query = query.where(col(CaseNoteRow.id) > after)
        return await self._all(query.order_by(col(CaseNoteRow.id)).limit(limit))

    def add_note(self, notice_id: UUID, note: str, by: str) -> CaseNoteRow:
        """Add a note. It never leaves this office."""
        row = CaseNoteRow(notice_id=notice_id, text=note, by=by, at=self._tx.clock.now())
        self._tx.session.add(row)
        return row

    async def state_hash(self, only: Sequence[UUID] | None = None) -> str:
        """Return one hash of everything that follows from messages: a store rebuilt from them must give the same.

        An officer's own act on a case does not follow from messages; `only` leaves such cases out.
        """
        (value,) = await self._values(
            str,
            """
            SELECT md5(coalesce(string_agg(line, E'\\n' ORDER BY line), '')) FROM (
                SELECT concat_ws('|', 'case', notice_id, state, version, revision, competent_authority,
                                 acting_authority, handling_mode, reasons, missing, arrived_at, registered_at,
                                 acknowledge_by, outcome) AS line FROM authority_case
                WHERE CAST(:only AS uuid[]) IS NULL OR notice_id = ANY(CAST(:only AS uuid[]))
                UNION ALL
                SELECT concat_ws('|', 'revision', notice_id, revision, filing) FROM case_revision
                WHERE CAST(:only AS uuid[]) IS NULL OR notice_id = ANY(CAST(:only AS uuid[]))
            ) AS lines
            """,
            only=list(only) if only is not None else None,
        )
        return value


def case_of(row: CaseRow) -> Case:
    """Return what is decided by, of a case."""
    return Case(*_CASE_VALUES(row))


def put(case: Case, row: CaseRow) -> None:
    """Write what was decided into a locked row."""
    for name in _CASE_FIELDS:
        setattr(row, name, getattr(case, name))
