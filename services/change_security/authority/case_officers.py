"""Who may act in a case of this city: its own officers, and those of an authority that acts for it in that case."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.change_security.authority.acting_commands import CityActing
from services.change_security.domain.acting import CaseOfficer
from shared.http.auth import Authorities, Caller, OwnOfficer, part, permit_officer
from shared.http.transactions import WriteTx
from shared.identity import Officer, Role
from shared.messaging.transaction import Database

TheActing = Annotated[CityActing, Depends(part(CityActing))]


def own(who: Officer) -> CaseOfficer:
    """Return an officer of this city as one who acts in its cases."""
    return CaseOfficer(who.subject, who.authority)


async def _reader(
    who: Caller,
    served: Authorities,
    acting: TheActing,
    notice_id: UUID,
    database: Annotated[Database, Depends(part(Database))],
) -> CaseOfficer:
    officer = permit_officer(who, acting.network, Role.OFFICER, Role.COORDINATOR)
    if officer.authority in served:
        return own(officer)
    async with database.read() as tx:
        return await acting.permit(tx, notice_id, officer.subject, officer.authority, hold=False)


async def _writer(
    by: Annotated[CaseOfficer, Depends(_reader)], acting: TheActing, notice_id: UUID, tx: WriteTx
) -> CaseOfficer:
    # Asked before the request's key is looked at, and again where it cannot end before the act is done.
    return await acting.permit(tx, notice_id, by.officer, by.authority, hold=True) if by.is_of_another else by


def _own(who: OwnOfficer) -> CaseOfficer:
    return own(who)


CaseReader = Annotated[CaseOfficer, Depends(_reader)]
"""An officer who reads a case."""

CaseWriter = Annotated[CaseOfficer, Depends(_writer)]
"""An officer who changes a case. What lets another authority act cannot end before the change is made."""

OwnCaseOfficer = Annotated[CaseOfficer, Depends(_own)]
"""An officer of this city alone."""
