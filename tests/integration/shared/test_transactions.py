"""A request's one effect, and typed rows, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel
from sqlalchemy import Column, MetaData, Text, text
from sqlmodel import Field, SQLModel, col, select

from shared.database import EnumText, Json, insert
from shared.errors import ConflictError, RefusedError, UnknownError
from shared.events.envelope import derived_id
from shared.http import auth, problems, transactions
from shared.http.transactions import BeginTx, IdempotentRoute, ReadTx, WriteTx
from shared.identity import Officer, Role, System
from shared.messaging.transaction import Database
from shared.store import Store
from tests.support.rig import Rig


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Detail(BaseModel):
    size: int
    label: str | None = None


class ThingRow(SQLModel, table=True):
    metadata: ClassVar[MetaData] = MetaData()
    __tablename__ = "thing"

    thing_id: UUID = Field(primary_key=True)
    version: int
    colour: Colour = Field(sa_column=Column(EnumText(Colour), nullable=False))
    detail: Detail = Field(sa_column=Column(Json(Detail), nullable=False))
    note: str | None = Field(default=None, sa_type=Text)


@dataclass(frozen=True)
class Thing:
    thing_id: UUID
    version: int
    colour: Colour
    content: Detail
    note: str | None = None


_THING = insert(
    ThingRow, Thing, attributes={"detail": "content"}, replace=("version", "colour", "detail"), version="version"
)


class Things(Store):
    async def get(self, thing_id: UUID) -> ThingRow | None:
        return await self._get(ThingRow, thing_id, lock=True)

    async def count(self) -> int:
        return (await self._values(int, "SELECT count(*) FROM thing"))[0]

    async def ids(self) -> list[UUID]:
        return await self._values(UUID, "SELECT thing_id FROM thing")

    async def of_colour(self, colour: Colour) -> list[ThingRow]:
        return list(await self._all(select(ThingRow).where(col(ThingRow.colour) == colour)))

    async def by_hand(self, detail: Detail) -> list[ThingRow]:
        return list(await self._rows(ThingRow, "SELECT * FROM thing WHERE detail @> :detail", detail=detail))

    async def relabel(self, thing_id: UUID, detail: Detail) -> int:
        return await self._run("UPDATE thing SET detail = :detail WHERE thing_id = :id", id=thing_id, detail=detail)


router = APIRouter(route_class=IdempotentRoute)


@router.post("/things", status_code=201)
async def make(body: Detail, tx: WriteTx) -> dict[str, Any]:
    """Make a thing; some sizes are refused."""
    match body.size:
        case 404:
            raise UnknownError("thing")
        case 409:
            raise ConflictError("too-late", "It has ended.")
        case 422:
            raise RefusedError("/size", "wrong-size", "The size is not valid.")
    thing_id = uuid4()
    tx.stage(_THING, Thing(thing_id, 1, Colour.RED, body))
    return {"thing_id": str(thing_id), "count": await Things(tx).count()}


@router.post("/things/{thing_id}/note")
async def note(thing_id: UUID, who: auth.OwnOfficer, tx: WriteTx) -> str:
    """Write a note."""
    row = await Things(tx).get(thing_id)
    if row is None:
        raise UnknownError("thing")
    row.note = who.authority
    return who.subject


@router.post("/later", status_code=201)
async def make_later(body: Detail, begin: BeginTx) -> dict[str, Any]:
    """Make a thing after slow work."""
    await asyncio.sleep(0)
    tx = await begin()
    thing_id = derived_id("thing", tx.cause)
    tx.stage(_THING, Thing(thing_id, 1, Colour.RED, body))
    return {"thing_id": str(thing_id)}


@router.get("/count")
async def count(tx: ReadTx) -> int:
    """Count."""
    return await Things(tx).count()


@pytest.fixture
async def database(rig: Rig) -> Database:
    """A schema with things in it."""
    async with rig.engine.begin() as connection:
        for statement in transactions.DDL:
            await connection.execute(text(statement))
        await connection.run_sync(ThingRow.metadata.create_all)
    return rig.database


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """An API of things. The header X-Caller says who calls."""
    app = FastAPI()
    problems.install(app, service="rig", office="test", provider=TracerProvider())
    app.state.parts = {Database: database}
    app.state.authorities = frozenset({"here"})
    app.include_router(router)

    def caller(request: Request) -> Officer | System:
        name = request.headers.get("x-caller", "system")
        return System(name) if name.startswith("system") else Officer("o1", name, frozenset({Role.OFFICER}))

    app.dependency_overrides[auth.caller] = caller
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as made:
        yield made


def keyed(key: str, caller: str = "system") -> dict[str, str]:
    return {"Idempotency-Key": key, "X-Caller": caller}


@pytest.mark.parametrize("path", ["/things", "/later"])
async def test_the_same_request_under_one_key_has_one_effect_and_the_first_answer(
    client: httpx.AsyncClient, path: str
) -> None:
    answers = await asyncio.gather(*(client.post(path, json={"size": 1}, headers=keyed("k")) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotent-replayed", "") for answer in answers) == ["", *["true"] * 5]
    assert (await client.get("/count")).json() == 1


async def test_a_key_used_with_another_body_or_path_is_refused(client: httpx.AsyncClient) -> None:
    made = (await client.post("/things", json={"size": 1}, headers=keyed("k"))).json()
    other = await client.post("/things", json={"size": 2}, headers=keyed("k"))
    assert (other.status_code, other.json()["type"]) == (422, "urn:problem:idempotency-key-reused")
    assert (await client.get("/count")).json() == 1
    path = f"/things/{made['thing_id']}/note"
    assert (await client.post(path, headers=keyed("n", "here"))).status_code == 200
    elsewhere = await client.post(f"/things/{uuid4()}/note", headers=keyed("n", "here"))
    assert elsewhere.json()["type"] == "urn:problem:idempotency-key-reused"


async def test_two_callers_may_choose_the_same_key(client: httpx.AsyncClient) -> None:
    for caller in ("system-a", "system-b"):
        await client.post("/things", json={"size": 1}, headers=keyed("k", caller))
    assert (await client.get("/count")).json() == 2


@pytest.mark.parametrize(
    ("size", "status", "slug"),
    [(404, 404, "not-found"), (409, 409, "too-late"), (422, 422, "wrong-size")],
)
async def test_a_refused_request_leaves_nothing_and_its_key_free(
    client: httpx.AsyncClient, size: int, status: int, slug: str
) -> None:
    refused = await client.post("/things", json={"size": size}, headers=keyed("k"))
    assert (refused.status_code, refused.json()["type"]) == (status, f"urn:problem:{slug}")
    assert refused.headers["content-type"] == "application/problem+json"
    assert (await client.get("/count")).json() == 0
    assert (await client.post("/things", json={"size": 1}, headers=keyed("k"))).status_code == 201


async def test_first_answers_are_forgotten_with_the_archive(client: httpx.AsyncClient, database: Database) -> None:
    await client.post("/things", json={"size": 1}, headers=keyed("k"))
    await transactions.forget_answers(database, timedelta(hours=1))
    assert (await client.post("/things", json={"size": 1}, headers=keyed("k"))).headers["idempotent-replayed"]
    await transactions.forget_answers(database, timedelta(0))
    assert (await client.post("/things", json={"size": 1}, headers=keyed("k"))).status_code == 201
    assert (await client.get("/count")).json() == 2


async def test_only_an_officer_of_this_office_acts(client: httpx.AsyncClient) -> None:
    path = f"/things/{uuid4()}/note"
    for caller, slug in (("system", "officer-needed"), ("elsewhere", "other-authority")):
        refused = await client.post(path, headers={"X-Caller": caller})
        assert (refused.status_code, refused.json()["type"]) == (403, f"urn:problem:{slug}")
    assert (await client.post(path, headers={"X-Caller": "here"})).status_code == 404


async def test_rows_come_back_as_the_types_they_were_written_as(database: Database) -> None:
    thing_id, detail = uuid4(), Detail(size=3, label="ä")
    async with database.transaction(uuid4()) as tx:
        tx.stage(_THING, Thing(thing_id, 1, Colour.RED, Detail(size=1)))
        tx.stage(_THING, Thing(thing_id, 2, Colour.BLUE, detail))
        tx.stage(_THING, Thing(thing_id, 1, Colour.RED, Detail(size=9)))
        row = await Things(tx).get(thing_id)
        assert row is not None
        assert (row.version, row.colour, row.detail) == (2, Colour.BLUE, detail)
        assert isinstance(row.colour, Colour)
        row.note = "kept"
    async with database.transaction(uuid4()) as tx:
        tx.stage(_THING, Thing(thing_id, 1, Colour.RED, Detail(size=1)))
        assert [found.note for found in await Things(tx).of_colour(Colour.BLUE)] == ["kept"]
        assert await Things(tx).of_colour(Colour.RED) == []
        assert await Things(tx).ids() == [thing_id]
        assert await Things(tx).relabel(thing_id, Detail(size=4)) == 1
        assert [found.detail for found in await Things(tx).by_hand(Detail(size=4))] == [Detail(size=4)]
