"""Who may file, at the joint office and at a city alike."""

from typing import Annotated

from fastapi import Depends

from shared.http.auth import Authorities, Caller, permit_officer, permit_system
from shared.identity import Officer, Role, System


async def _filer(who: Caller, served: Authorities) -> Officer | System:
    if isinstance(who, System):
        return permit_system(who, "notices:write")
    return permit_officer(who, served, Role.OFFICER, Role.COORDINATOR)


Filer = Annotated[Officer | System, Depends(_filer)]
"""A system that may file, or an officer of an authority that this office works for."""
