"""The transaction of a request, and the one effect of a request that is sent again.

A route that writes takes `WriteTx`: the transaction commits after the answer is made and before it is sent, and rolls
back when anything raises. A route that must first do slow work takes `BeginTx` and opens the same transaction by
calling it. A route that reads takes `ReadTx`.

Every router has `route_class=IdempotentRoute`. A request with an `Idempotency-Key` then has one effect, however often
it is sent: the first answer is kept in the same transaction as its effect, and the same request again gets that answer.
The same key with another method, path or body is refused. Refused requests keep nothing, so that they can be corrected
and sent again under their key.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, NamedTuple
from uuid import uuid4

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import Column, DateTime, Index, LargeBinary, MetaData, SmallInteger, Text, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col, select

from shared.events.envelope import derived_id
from shared.http.auth import Caller, part
from shared.http.problems import ProblemError
from shared.messaging.transaction import Database, Transaction

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same request with the same key has one effect, however often it is sent.",
    ),
]


class FirstAnswer(SQLModel, table=True):
    """The first answer to a request that carried a key. Kept as long as the inbox."""

    metadata: ClassVar[MetaData] = MetaData()
    __tablename__ = "first_answer"
    __table_args__ = (Index("first_answer_at", "at", postgresql_using="brin"),)

    caller: str = Field(sa_type=Text, primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    fingerprint: str = Field(sa_type=Text)
    status: int | None = Field(default=None, sa_type=SmallInteger, nullable=True)
    location: str | None = Field(default=None, sa_type=Text, nullable=True)
    body: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, server_default=func.now()))


DDL: Final = (
    """
    CREATE TABLE first_answer (
        caller      text NOT NULL,
        key         text NOT NULL,
        fingerprint text NOT NULL,
        status      smallint,
        location    text,
        body        bytea,
        at          timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (caller, key)
    )
    """,
    "CREATE INDEX first_answer_at ON first_answer USING brin (at)",
)
"""A service's migrations create this."""


class _Claim(NamedTuple):
    tx: Transaction
    caller: str
    key: str


class _RepeatedError(Exception):
    """The request was answered before; ends it with that answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


@asynccontextmanager
async def _once(request: Request, who: Caller, key: str | None, database: Database) -> AsyncIterator[Transaction]:
    """Open the transaction of a request.

    What is derived from its cause is the same for every request with the same key.

    Raises:
        ProblemError: 422, the key was used before with another request.
    """
    cause = derived_id("request", who.actor, key) if key is not None else uuid4()
    async with database.transaction(cause) as tx:
        if key is not None:
            await _claim(tx, who.actor, key, await _fingerprint(request))
            request.state.claim = _Claim(tx, who.actor, key)
        yield tx


async def _beginning(
    request: Request,
    who: Caller,
    database: Annotated[Database, Depends(part(Database))],
    key: IdempotencyKey = None,
) -> AsyncIterator[Callable[[], Awaitable[Transaction]]]:
    async with AsyncExitStack() as stack:
        yield lambda: stack.enter_async_context(_once(request, who, key, database))


BeginTx = Annotated[Callable[[], Awaitable[Transaction]], Depends(_beginning, scope="function")]


async def _writing(begin: BeginTx) -> Transaction:
    return await begin()


async def _reading(database: Annotated[Database, Depends(part(Database))]) -> AsyncIterator[Transaction]:
    async with database.read() as tx:
        yield tx


WriteTx = Annotated[Transaction, Depends(_writing)]
ReadTx = Annotated[Transaction, Depends(_reading, scope="function")]


class IdempotentRoute(APIRoute):
    """Keeps the answer of a request that carried a key, in its transaction; gives it again to the same request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route; it ends before the transaction of `WriteTx` commits."""
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            try:
                answer = await handle(request)
            except _RepeatedError as repeated:
                return repeated.answer
            if (claim := getattr(request.state, "claim", None)) is not None:
                await _keep(claim, answer)
            return answer

        return handle_once


async def forget_answers(database: Database, after: timedelta) -> None:
    """Delete first answers that are older than any repetition of their request."""
    async with database.transaction(uuid4()) as tx:
        await tx.connection.execute(delete(FirstAnswer).where(col(FirstAnswer.at) < tx.clock.now() - after))


async def _fingerprint(request: Request) -> str:
    parts = hashlib.sha256(f"{request.method} {request.url.path}\n".encode())
    parts.update(await request.body())
    return parts.hexdigest()


async def _claim(tx: Transaction, caller: str, key: str, fingerprint: str) -> None:
    claimed = await tx.connection.execute(
        insert(FirstAnswer)
        .values(caller=caller, key=key, fingerprint=fingerprint)
        .on_conflict_do_nothing()
        .returning(col(FirstAnswer.key))
    )
    if claimed.first() is not None:
        return
    # The insert waited for a request under way with the same key; what it kept is there now.
    before = (
        await tx.session.scalars(select(FirstAnswer).where(FirstAnswer.caller == caller, FirstAnswer.key == key))
    ).one()
    if before.fingerprint != fingerprint:
        raise ProblemError(422, "idempotency-key-reused", "The key was used before with another request.")
    headers = {"Idempotent-Replayed": "true"} | ({"Location": before.location} if before.location else {})
    media_type = "application/json" if before.body else None
    raise _RepeatedError(Response(before.body, before.status or 200, headers, media_type))


async def _keep(claim: _Claim, answer: Response) -> None:
    await claim.tx.connection.execute(
        update(FirstAnswer)
        .where(col(FirstAnswer.caller) == claim.caller, col(FirstAnswer.key) == claim.key)
        .values(status=answer.status_code, location=answer.headers.get("location"), body=bytes(answer.body))
    )
