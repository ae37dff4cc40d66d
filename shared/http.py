"""What every HTTP API here has: problem+json (RFC 9457), a body limit, entity tags, pages, and who may call."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import UUID

import structlog
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import instruments
from shared.database import is_unavailable
from shared.identity import Identities, KeysUnavailableError, Officer, System, UnauthenticatedError
from shared.messaging.transaction import Transaction, Database
from shared.telemetry import describe

Item = TypeVar("Item")
PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
MAX_BODY_BYTES: Final = 256 * 1024

_log = structlog.get_logger("shared.http")
_bearer = HTTPBearer(auto_error=False, description="A JWT of the token issuer.")


class FieldProblem(BaseModel):
    """One field that is wrong: where (JSON pointer) and how. Never its value."""

    pointer: str
    code: str


class Problem(BaseModel):
    """A problem in the form of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldProblem] | None = None


class ProblemError(Exception):
    """Raised anywhere below a route to answer with a problem.

    Args:
        status: the HTTP status.
        slug: names the problem type; the same slug always means the same thing.
        title: one sentence for people.
        detail: what to do about it. Quotes nothing from the request.
        errors: the fields that are wrong.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str | None = None,
        errors: list[FieldProblem] | None = None,
    ) -> None:
        super().__init__(title)
        self.problem = Problem(type=f"urn:problem:{slug}", title=title, status=status, detail=detail, errors=errors)


class BodyLimit:
    """Refuses a request body over the limit before anything parses it, whether or not its length was announced."""

    def __init__(self, app: ASGIApp, refuse: Callable[[Request], Response], limit: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._refuse = refuse
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body up to the limit, then let the application have it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > self._limit:
            await self._refuse(request)(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            if len(body) > self._limit:
                await self._refuse(request)(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, replay, send)


def install(app: FastAPI, *, service: str, office: str, identities: Identities, provider: TracerProvider) -> None:
    """Give an API its problem answers, body limit, identities and traces."""
    app.state.identities = identities

    def answer(problem: Problem, headers: dict[str, str] | None = None) -> Response:
        instruments.REFUSED.labels(office, service, problem.type).inc()
        return JSONResponse(
            problem.model_dump(exclude_none=True), problem.status, headers, media_type=PROBLEM_MEDIA_TYPE
        )

    async def on_problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101 - registered for this class alone
        challenge = {"WWW-Authenticate": "Bearer"} if error.problem.status == 401 else None  # noqa: PLR2004
        return answer(error.problem, challenge)

    async def on_invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class alone
        fields = [
            FieldProblem(pointer="/" + "/".join(map(str, found["loc"][1:])), code=str(found["type"]))
            for found in error.errors()
        ]
        return answer(invalid_request(fields).problem)

    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class alone
        return answer(Problem(type="about:blank", title=str(error.detail), status=error.status_code))

    async def on_failure(_: Request, error: Exception) -> Response:
        if is_unavailable(error):
            _log.warning("database is away", error=describe(error))
            return answer(
                Problem(
                    type="urn:problem:database-unavailable",
                    title="The database does not answer; nothing was recorded. Try again.",
                    status=503,
                ),
                {"Retry-After": "5"},
            )
        _log.error("request failed", error=describe(error))
        return answer(
            Problem(type="urn:problem:internal", title="The request failed; nothing was recorded.", status=500)
        )

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        # Starlette hands an unexpected error on after answering it, which would put its message into the server's log.
        try:
            return await call_next(request)
        except Exception as error:  # noqa: BLE001 - every failure is answered here
            return await on_failure(request, error)

    too_large = Problem(
        type="urn:problem:body-too-large",
        title=f"The body is larger than {MAX_BODY_BYTES} bytes.",
        status=413,
        detail="Send attachments by reference.",
    )
    app.add_middleware(BodyLimit, refuse=lambda _: answer(too_large))
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, excluded_urls="livez,readyz,metrics", exclude_spans=["receive", "send"]
    )


def invalid_request(fields: list[FieldProblem]) -> ProblemError:
    """Return the problem of a request whose fields are wrong."""
    return ProblemError(422, "invalid-request", "The request is not valid.", errors=fields)


def not_found(what: str) -> ProblemError:
    """Return the problem of something that does not exist, or that the caller may not know of."""
    return ProblemError(404, "not-found", f"There is no such {what}.")


@asynccontextmanager
async def answering(
    database: Database, cause: UUID, problem_of: Callable[[Exception], ProblemError | None]
) -> AsyncIterator[Transaction]:
    """Open the transaction of a request; nothing is recorded when it raises.

    Args:
        database: opens it.
        cause: what derived ids start from.
        problem_of: tells the problem that a domain's own error is answered with; None for what is no such error.
    """
    try:
        async with database.transaction(cause) as tx:
            yield tx
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            raise
        raise problem from error


# -- who may call -----------------------------------------------------------------------------------------------------


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


def permit_system(who: System, *scopes: str) -> System:
    """Return the system if it has one of the scopes.

    Raises:
        ProblemError: 403, naming the first of them.
    """
    if not who.scopes & set(scopes):
        raise ProblemError(403, "scope-needed", f"The scope {scopes[0]} is needed.")
    return who


def permit_officer(who: Officer | System, authorities: frozenset[str], *roles: str) -> Officer:
    """Return the officer if of one of the authorities and in one of the roles.

    Raises:
        ProblemError: 403, saying what is lacking.
    """
    if not isinstance(who, Officer):
        raise ProblemError(403, "officer-needed", "Only an officer may do this.")
    if who.authority not in authorities:
        raise ProblemError(403, "other-authority", "This office does not work for the officer's authority.")
    if not who.roles & set(roles):
        raise ProblemError(403, "role-needed", f"One of these roles is needed: {', '.join(sorted(roles))}.")
    return who


# -- reading ----------------------------------------------------------------------------------------------------------


def tagged(request: Request, content: Any) -> Response:
    """Answer a read with an entity tag of its content, or 304 when the caller has it already."""
    body = json.dumps(jsonable_encoder(content), ensure_ascii=False, separators=(",", ":")).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


class Page(BaseModel, Generic[Item]):
    """One page of a list. `next` is the cursor of the following page; absent on the last one."""

    items: list[Item]
    next: str | None = None


Limit = Annotated[int, Query(ge=1, le=200, description="At most so many items.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.", max_length=400)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same key with the same body has one effect, however often it is sent.",
    ),
]


def write_cursor(*values: object) -> str:
    """Make a cursor from the sort values of the last item of a page."""
    return base64.urlsafe_b64encode(json.dumps([str(value) for value in values]).encode()).decode().rstrip("=")


def read_cursor(cursor: str, parts: int) -> list[str]:
    """Read a cursor back.

    Raises:
        ProblemError: 400 when it is not one of ours.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise bad_cursor() from error
    if not isinstance(values, list) or len(values) != parts or not all(isinstance(value, str) for value in values):
        raise bad_cursor()
    return values


def bad_cursor() -> ProblemError:
    """Return the problem of a cursor that is not one of ours."""
    return ProblemError(400, "bad-cursor", "The cursor is not one that this API gave.")
