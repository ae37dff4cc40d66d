"""Who may act in a case of this city: its own officers, and those of an authority that acts for it in that case."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.change_security.authority.acting_commands import CityActing
from services.change_security.domain.acting import CaseOfficer
from shared.http.auth import Authorities, Caller, OwnOfficer, part, permit_officer
from shared.http.transactions import ReadTx, WriteTx
from shared.identity import Officer, Role, System
from shared.messaging.transaction import Transaction

TheActing = Annotated[CityActing, Depends(part(CityActing))]


def own(who: Officer) -> CaseOfficer:
    """Return an officer of this city as one who acts in its cases."""
    return CaseOfficer(who.subject, who.authority)


async def _permitted(
    who: Officer | System, served: frozenset[str], acting: CityActing, notice_id: UUID, tx: Transaction, *, hold: bool
) -> CaseOfficer:
    officer = permit_officer(who, acting.network, Role.OFFICER, Role.COORDINATOR)
    if officer.authority in served:
        return own(officer)
    return await acting.permit(tx, notice_id, officer.subject, officer.authority, hold=hold)


async def _writing(who: Caller, served: Authorities, acting: TheActing, notice_id: UUID, tx: WriteTx) -> CaseOfficer:
    return await _permitted(who, served, acting, notice_id, tx, hold=True)


async def _reading(who: Caller, served: Authorities, acting: TheActing, notice_id: UUID, tx: ReadTx) -> CaseOfficer:
    return await _permitted(who, served, acting, notice_id, tx, hold=False)


def _own(who: OwnOfficer) -> CaseOfficer:
    return own(who)


Acting = Annotated[CaseOfficer, Depends(_writing)]
"""An officer who changes a case. What lets another authority act cannot end before the change is made."""

Reading = Annotated[CaseOfficer, Depends(_reading)]
"""An officer who reads a case."""

Own = Annotated[CaseOfficer, Depends(_own)]
"""An officer of this city alone."""
