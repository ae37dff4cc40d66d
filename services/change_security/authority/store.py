"""The queries of a city's office. Hot paths write in bulk: a store stages values, the kernel flushes them together.

Index: `authority_case_stored` serves the list (newest first, keyset pages).
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import col, select

from services.change_security.authority.tables import CaseCheckRow, CaseNoteRow, CaseRevisionRow, CaseRow, CaseStepRow
from services.change_security.domain.acting import CaseOfficer
from services.change_security.domain.case import CaseState, CheckItem, StepState
from services.change_security.domain.own_case import Case, NewCase
from services.change_security.domain.summary import Summary, summary
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
    arrived_at: datetime | None


class _Summarised(NamedTuple):
    case: NewCase
    summary: Summary


_SUMMARY: Final = tuple(field.name for field in fields(Summary))
_ASKED_ANEW = """excluded.version > authority_case.version AND excluded.asked_version > authority_case.asked_version
    AND (authority_case.asked_version > 0 OR excluded.asked_because <> 'assigned')"""
"""The authority is asked again: what its officers answered before was to an earlier question. Not so when the joint
office first sends what this city registered itself."""


def _when_asked(value: str, column: str) -> str:
    return f"CASE WHEN {_ASKED_ANEW} THEN {value} ELSE authority_case.{column} END"


_CASE: Final = insert(
    CaseRow,
    _Summarised,
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
        "handling",
        "filer_reference",
        "arrived_at_claimed",
        "earlier_reductions",
        "asked_version",
        "asked_because",
        "asked_reason",
        *_SUMMARY,
    ),
    attributes={"competent_authority": "case.authority"}
    | {name: f"case.{name}" for name in CaseRow.model_fields if name not in {"competent_authority", *_SUMMARY}}
    | {name: f"summary.{name}" for name in _SUMMARY},
    literals={"state": "'open'", "acting_authority": "competent_authority"},
    replace={
        "state": f"""CASE WHEN excluded.version > authority_case.version AND authority_case.state = 'released'
                      OR {_ASKED_ANEW} AND (authority_case.state = 'closed' OR excluded.asked_because IN
                                            ('insisted', 'reopened', 'unmerged'))
                     THEN 'open' ELSE authority_case.state END""",
        "version": "greatest(excluded.version, authority_case.version)",
        "revision": "greatest(excluded.revision, authority_case.revision)",
        "handling_mode": """CASE WHEN excluded.version > authority_case.version
                            THEN excluded.handling_mode ELSE authority_case.handling_mode END""",
        "handling": """CASE WHEN excluded.version > authority_case.version
                       THEN excluded.handling ELSE authority_case.handling END""",
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
        "filer_reference": "coalesce(authority_case.filer_reference, excluded.filer_reference)",
        "arrived_at_claimed": "coalesce(authority_case.arrived_at_claimed, excluded.arrived_at_claimed)",
        "earlier_reductions": "excluded.earlier_reductions",
    }
    | {
        name: f"""CASE WHEN excluded.revision >= authority_case.revision
                  THEN excluded.{name} ELSE authority_case.{name} END"""
        for name in _SUMMARY
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
        version = rows.version, handling_mode = rows.handling_mode,
        handling = coalesce(rows.handling, authority_case.handling)
    FROM {rows} WHERE authority_case.notice_id = rows.notice_id AND authority_case.version < rows.version
    """,
    column_types(CaseRow, ("notice_id", "version", "handling_mode", "handling")),
    key=("notice_id",),
    version="version",
)
"""Who acts in the case follows from consent alone (`acting_commands`), not from a word of the joint office."""

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
_SUMMARY_VALUES: Final = attrgetter(*_SUMMARY)


class Cases(Store):
    """An authority's own cases."""

    def add(self, case: NewCase) -> None:
        """Open a case, or bring it to a newer version. Safe to repeat, and in any order."""
        self._tx.stage(_CASE, _Summarised(case, summary(case.filing, case.arrived_at)))
        self.add_revision(case.notice_id, case.revision, case.filing, case.stored_at, case.revision_arrived_at)

    def add_revision(
        self, notice_id: UUID, revision: int, filing: Filing, at: datetime, arrived_at: datetime | None
    ) -> None:
        """Keep a revision of the filing. `arrived_at`: None when the joint office does not say."""
        self._tx.stage(_CASE_REVISION, _Revision(notice_id, revision, filing, at, arrived_at))

    def end(self, end: CaseEnd) -> None:
        """End a case at a newer version."""
        self._tx.stage(_CASE_END, end)

    def set_handling(self, event: HandlingChanged) -> None:
        """Set how the matter is handled at a newer version."""
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

    async def steps(self, notice_id: UUID) -> Sequence[CaseStepRow]:
        """Return the steps that are done or not needed."""
        return await self._all(select(CaseStepRow).where(CaseStepRow.notice_id == notice_id))

    async def set_step(self, notice_id: UUID, step: str, state: StepState, by: str) -> None:
        """Set a step's state."""
        await self._tx.session.merge(
            CaseStepRow(notice_id=notice_id, step=step, state=state, at=self._tx.clock.now(), by=by)
        )

    async def checks(self, notice_id: UUID) -> Sequence[CaseCheckRow]:
        """Return the checklist items that are counted."""
        return await self._all(select(CaseCheckRow).where(CaseCheckRow.notice_id == notice_id))

    async def set_check(self, notice_id: UUID, group_id: UUID, item: CheckItem, count: int | None, by: str) -> None:
        """Set to how many employees of a group an item applies; None takes the count back."""
        if count is None:
            row = await self._get(CaseCheckRow, notice_id, group_id, item)
            if row is not None:
                await self._tx.session.delete(row)
            return
        await self._tx.session.merge(
            CaseCheckRow(notice_id=notice_id, group_id=group_id, item=item, count=count, at=self._tx.clock.now(), by=by)
        )

    async def notes(
        self, notice_id: UUID, limit: int, after: int | None, *, shared_only: bool
    ) -> Sequence[CaseNoteRow]:
        """Return the officers' notes, oldest first."""
        query = select(CaseNoteRow).where(CaseNoteRow.notice_id == notice_id)
        if shared_only:
            query = query.where(col(CaseNoteRow.shared))
        if after is not None:
            query = query.where(col(CaseNoteRow.id) > after)
        return await self._all(query.order_by(col(CaseNoteRow.id)).limit(limit))

    def add_note(self, notice_id: UUID, note: str, by: CaseOfficer, *, shared: bool) -> CaseNoteRow:
        """Add a note. It never leaves this office; another authority's officers see a shared one while they act."""
        row = CaseNoteRow(
            notice_id=notice_id,
            text=note,
            by=by.officer,
            at=self._tx.clock.now(),
            shared=shared,
            authority=by.authority,
        )
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
                                 acknowledge_by, outcome, handling) AS line FROM authority_case
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


def put_filing(filing: Filing, arrived_at: datetime, row: CaseRow) -> None:
    """Write what the lists say of a new revision into a locked row."""
    for name, value in zip(_SUMMARY, _SUMMARY_VALUES(summary(filing, arrived_at)), strict=True):
        setattr(row, name, value)
