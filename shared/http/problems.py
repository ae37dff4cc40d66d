"""Problems in the form of RFC 9457, and what gives every API its answers: problem handlers, body limit, traces."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import instruments
from shared.database import is_unavailable
from shared.errors import ConflictError, ForbiddenError, RefusedError, UnknownError
from shared.telemetry import describe

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
MAX_REQUEST_BYTES: Final = 256 * 1024

_log = structlog.get_logger("shared.http")


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

    def __init__(self, app: ASGIApp, refuse: Callable[[Request], Response], limit: int = MAX_REQUEST_BYTES) -> None:
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


def install(app: FastAPI, *, service: str, office: str, provider: TracerProvider) -> None:
    """Give an API its problem answers, body limit and traces."""

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

    async def on_refusal(_: Request, error: Exception) -> Response:
        return answer(problem_of(error))

    app.add_exception_handler(ProblemError, on_problem)
    for refusal in (UnknownError, RefusedError, ConflictError, ForbiddenError):
        app.add_exception_handler(refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        # Starlette hands an unexpected error on after answering it, which would put its message into the server's log.
        try:
            return await call_next(request)
        except Exception as error:  # noqa: BLE001 - every failure is answered here
            return answer(*_failure(error))

    too_large = Problem(
        type="urn:problem:body-too-large",
        title=f"The body is larger than {MAX_REQUEST_BYTES} bytes.",
        status=413,
        detail="Send attachments by reference.",
    )
    app.add_middleware(BodyLimit, refuse=lambda _: answer(too_large))
    FastAPIInstrumentor.instrument_app(
        app, tracer_provider=provider, excluded_urls="livez,readyz,metrics", exclude_spans=["receive", "send"]
    )


def _failure(error: Exception) -> tuple[Problem, dict[str, str] | None]:
    if is_unavailable(error):
        _log.warning("database unavailable", error=describe(error))
        text = "The database does not answer; nothing was recorded. Try again."
        return Problem(type="urn:problem:database-unavailable", title=text, status=503), {"Retry-After": "5"}
    if isinstance(error, KafkaError):
        _log.warning("kafka unavailable", error=describe(error))
        return Problem(
            type="urn:problem:kafka-unavailable", title="Kafka does not answer. Try again.", status=503
        ), None
    _log.error("request failed", error=describe(error))
    return Problem(type="urn:problem:internal", title="The request failed; nothing was recorded.", status=500), None


def problem_of(error: Exception) -> Problem:
    """Return the problem that a refusal of `shared.errors` is answered with.

    Raises:
        TypeError: the error is no such refusal.
    """
    match error:
        case UnknownError():
            return not_found(error.what).problem
        case RefusedError():
            fields = [FieldProblem(pointer=pointer, code=code) for pointer, code in error.fields]
            return ProblemError(422, error.code, error.text, errors=fields).problem
        case ConflictError():
            return ProblemError(409, error.code, "Conflicts with the current state.", error.text).problem
        case ForbiddenError():
            return ProblemError(403, error.code, error.text).problem
        case _:
            raise TypeError(type(error).__name__)


def invalid_request(fields: list[FieldProblem]) -> ProblemError:
    """Return the problem of a request whose fields are wrong."""
    return ProblemError(422, "invalid-request", "The request is not valid.", errors=fields)


def not_found(what: str) -> ProblemError:
    """Return the problem of something that does not exist, or that the caller may not know of."""
    return ProblemError(404, "not-found", f"There is no such {what}.")
