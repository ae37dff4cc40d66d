"""Who may call: the caller's token is checked, then the authority and role of an officer, or the scope of a system.

A route names what it needs by its parameters' types: `Caller` anyone with a token, `OwnOfficer`, `Coordinator` and
`Operator` an officer of an authority that this office works for, in that role; `Reader` anyone at all.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.errors import ForbiddenError
from shared.http.problems import ProblemError
from shared.identity import Identities, KeysUnavailableError, Officer, Role, System, UnauthenticatedError

Made = TypeVar("Made")
_bearer = HTTPBearer(auto_error=False, description="A JWT of the token issuer.")


# Every dependency here is `async`: FastAPI would run a plain function in a thread.
def part(kind: type[Made]) -> Callable[[Request], Awaitable[Made]]:
    """Return a dependency that gives the process's one object of a type; `shared.process.Parts.objects` lists them."""

    async def get(request: Request) -> Made:
        made = request.app.state.parts[kind]
        assert isinstance(made, kind)  # noqa: S101 - the type by which it was kept
        return made

    return get


async def caller(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Officer | System:
    """Return who calls; 401 without a token that holds."""
    identities: Identities = request.app.state.identities
    try:
        if credentials is not None:
            return await identities.identify(credentials.credentials)
    except UnauthenticatedError:
        pass
    except KeysUnavailableError as error:
        raise ProblemError(503, "keys-unavailable", "The token issuer's keys cannot be fetched.") from error
    raise ProblemError(401, "unauthenticated", "A valid bearer token is needed.")


Caller = Annotated[Officer | System, Depends(caller)]


async def reader(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Officer | System | None:
    """Return who reads what is public: nobody in particular without a token; 401 with one that is not valid."""
    return None if credentials is None else await caller(request, credentials)


Reader = Annotated[Officer | System | None, Depends(reader)]


async def authorities(request: Request) -> frozenset[str]:
    """Return the authorities whose officers work at this office: a city's own, or all of the region."""
    served: frozenset[str] = request.app.state.authorities
    return served


Authorities = Annotated[frozenset[str], Depends(authorities)]


def permit_system(who: System, *scopes: str) -> System:
    """Return the system if it has one of the scopes.

    Raises:
        ForbiddenError: naming the first of them.
    """
    if not who.scopes & set(scopes):
        raise ForbiddenError("scope-needed", f"The scope {scopes[0]} is needed.")
    return who


def permit_officer(who: Officer | System, served: frozenset[str], *roles: StrEnum) -> Officer:
    """Return the officer if of one of the authorities and in one of the roles: of `Role`, or of a service's own.

    Raises:
        ForbiddenError: saying what is lacking.
    """
    if not isinstance(who, Officer):
        raise ForbiddenError("officer-needed", "Only an officer may do this.")
    if who.authority not in served:
        raise ForbiddenError("other-authority", "This office does not work for the officer's authority.")
    if not who.roles & set(roles):
        raise ForbiddenError("role-needed", f"One of these roles is needed: {', '.join(sorted(roles))}.")
    return who


def _in_role(*roles: Role) -> Callable[[Officer | System, frozenset[str]], Awaitable[Officer]]:
    async def officer(who: Caller, served: Authorities) -> Officer:
        return permit_officer(who, served, *roles)

    return officer


OwnOfficer = Annotated[Officer, Depends(_in_role(Role.OFFICER, Role.COORDINATOR))]
Coordinator = Annotated[Officer, Depends(_in_role(Role.COORDINATOR))]
Operator = Annotated[Officer, Depends(_in_role(Role.OPERATOR))]
