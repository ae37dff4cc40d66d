"""The course of notices through all offices, on the real broker and databases."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiosmtpd.controller import Controller
from opentelemetry.sdk.trace import TracerProvider

from deploy.local.client import Callers, has_read_everything, wait_for
from deploy.local.processes import Child, free_port
from deploy.local.sample_data import proposal_json
from deploy.local.stack import Stack
from services.change_security import data
from services.change_security.app import CHANGE_SECURITY
from services.change_security.authority import handlers
from services.change_security.authority.acting_commands import CityActing
from services.change_security.authority.app import inbound
from services.change_security.authority.plan_commands import CityPlans
from services.change_security.authority.store import Cases
from services.change_security.domain.notice import Rulebook
from services.change_security.joint.commands import JointOffice
from services.change_security.joint.delivery_commands import Letters
from services.change_security.joint.email_delivery import EmailDelivery
from services.change_security.joint.store import Directory
from services.change_security.settings import SCHEMA, SERVICE, Settings
from shared.clock import SystemClock
from shared.database import engine_for
from shared.events.v1.change_security import NoticeAmended, NoticeAssigned, NoticeWithdrawn
from shared.messaging.loop import Consumer
from shared.messaging.transaction import Database
from shared.migrations import migrate
from tests.support.clock import SettableClock
from tests.support.filings import BAD_BUSINESS_ID, TEST_IDENTITY_CODE, termination_notice
from tests.support.matters import Matters, submit
from tests.support.needs import national_classification

SUBMITTED = "change-security.notice-submitted.v1"


def submission(notice_id: str, revision: int = 1, **changes: Any) -> dict[str, Any]:
    return {"type": SUBMITTED, "notice_id": notice_id, "revision": revision, "filing": proposal_json(**changes)}


def settings_of(stack: Stack, office: str, **changes: Any) -> Settings:
    environment = {name.lower(): value for name, value in stack.environment(office).items()}
    return Settings(**(environment | {"otel_traces_exporter": "none"} | changes))


def writer_of(settings: Settings, clock: Any = None) -> Database:
    tracer = TracerProvider().get_tracer("test")
    return Database(engine_for(settings, SCHEMA), settings.office, clock or SystemClock(), tracer)


def test_a_three_site_notice_reaches_every_affected_authority_and_three_receipts_return(matters: Matters) -> None:
    notice = matters.file()
    ledger = matters.complete(notice["notice_id"])
    assert {entry["authority"]: entry["state"] for entry in ledger["entries"]} == {
        "espoo": "stored",
        "helsinki": "stored",
        "vantaa": "stored",
    }
    for city in ("helsinki", "espoo", "vantaa"):
        case = matters.case(city, notice["notice_id"])
        assert case["competent_authority"] == city
        assert case["filing"]["employer"]["business_id"] == "2077474-0"
        assert case["arrived_at"] == notice["arrived_at"]


def test_the_routing_is_explained_with_reasons_and_the_tables_version(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file()["notice_id"]
    routing = callers.coordinator.read(f"/v1/notices/{notice_id}/routing")
    espoo = next(one for one in routing["recipients"] if one["authority"] == "espoo")
    assert espoo["name_sv"] == "Esbo stad"
    assert espoo["reasons"] == [
        {"kind": "workplace", "municipality": "235", "name": "Kauniainen", "name_sv": "Grankulla"}
    ]
    assert routing["routing_version"].startswith("4-") or int(routing["routing_version"].split("-")[0]) > 4


def test_a_revision_drops_one_city_and_adds_another_and_each_store_knows(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file(sites=[{"municipality": "092"}])["notice_id"]
    matters.complete(notice_id)
    revised = proposal_json(sites=[{"municipality": "049"}])
    callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": 1, "filing": revised})
    matters.complete(notice_id, version=2)
    assert matters.states(notice_id) == {"espoo": "stored", "helsinki": "stored", "vantaa": "released"}
    assert matters.case("vantaa", notice_id)["state"] == "released"
    assert matters.case("espoo", notice_id)["state"] == "open"
    assert matters.case("helsinki", notice_id)["revision"] == 2
    assert [one["revision"] for one in callers.system.read(f"/v1/notices/{notice_id}/revisions")["items"]] == [1, 2]
    stale = callers.system.post(f"/v1/notices/{notice_id}/revisions", json={"predecessor": 1, "filing": revised})
    assert (stale.status_code, stale.json()["type"]) == (409, "urn:problem:stale-predecessor")


def test_a_released_authority_sees_small_counts_masked(callers: Callers, matters: Matters) -> None:
    measures = [{"measure": "termination", "personnel_group": "johto", "count": 3}]
    notice_id = matters.file(sites=[{"municipality": "092"}], measures=measures)["notice_id"]
    matters.complete(notice_id)
    assert matters.case("vantaa", notice_id)["filing"]["measures"][0]["count"] == 3
    dropped = proposal_json(sites=[], measures=measures)
    callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": 1, "filing": dropped})
    matters.complete(notice_id, version=2)
    assert matters.case("vantaa", notice_id)["filing"]["measures"][0]["count"] is None
    officer = callers.of("pks", "vantaa", "officer")
    assert officer.read(f"/v1/notices/{notice_id}")["filing"]["measures"][0]["count"] is None


def test_a_withdrawal_reaches_every_store(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file()["notice_id"]
    callers.system.send(f"/v1/notices/{notice_id}/withdrawal")
    callers.system.send(f"/v1/notices/{notice_id}/withdrawal")
    assert matters.complete(notice_id, version=2)["version"] == 2
    for city in ("helsinki", "espoo", "vantaa"):
        assert matters.case(city, notice_id)["state"] == "withdrawn"


@pytest.mark.parametrize("outcome", ["terminations", "no_terminations"])
def test_a_notice_closes_with_or_without_terminations(callers: Callers, matters: Matters, outcome: str) -> None:
    notice_id = matters.file()["notice_id"]
    callers.coordinator.send(f"/v1/notices/{notice_id}/closing", {"outcome": outcome})
    matters.complete(notice_id, version=2)
    assert matters.case("vantaa", notice_id)["outcome"] == outcome


def test_an_unknown_municipality_waits_in_the_unrouted_queue_until_a_coordinator_assigns_it(
    callers: Callers, matters: Matters
) -> None:
    notice_id = matters.file(sites=[{"municipality": "999"}])["notice_id"]

    def waiting() -> list[dict[str, Any]]:
        queue = callers.coordinator.read("/v1/unrouted?limit=200")["items"]
        return [line for line in queue if line["notice_id"] == notice_id]

    assert [(line["municipality"], line["why"]) for line in waiting()] == [("999", "unknown_municipality")]
    assert set(matters.states(notice_id)) == {"helsinki"}
    added = {"authority": "vantaa", "municipality": "999", "reason": "employer told the site is in Vantaa"}
    callers.coordinator.send(f"/v1/notices/{notice_id}/authorities", added)
    matters.complete(notice_id, version=2)
    assert waiting() == []
    assert matters.case("vantaa", notice_id)["reasons"] == [{"kind": "manual", "municipality": None}]
    nobody = {"authority": "atlantis", "reason": "a test"}
    assert callers.coordinator.post(f"/v1/notices/{notice_id}/authorities", json=nobody).status_code == 404


def test_adding_an_authority_twice_is_two_versions_and_both_are_confirmed(callers: Callers, matters: Matters) -> None:
    notice_id = matters.file(sites=[])["notice_id"]
    for _ in range(2):
        callers.coordinator.send(
            f"/v1/notices/{notice_id}/authorities", {"authority": "espoo", "reason": "asked by phone"}
        )
    assert matters.complete(notice_id, version=3)["version"] == 3


def test_workforce_released_tells_everyone_and_says_nothing_of_the_employer(
    callers: Callers, matters: Matters, stack: Stack
) -> None:
    filing = termination_notice(40, 3).model_dump(mode="json")
    notice_id = callers.system.send("/v1/notices", {"filing": filing})["notice_id"]
    callers.system.send(f"/v1/notices/{notice_id}/withdrawal")
    matters.complete(notice_id, version=2)

    async def told() -> list[dict[str, Any]]:
        import json

        connection = await asyncpg.connect(stack.databases["pks"].url)
        try:
            rows = await connection.fetch(
                "SELECT payload FROM change_security.outbox WHERE topic = 'shared.change-security.v1' AND key = $1"
                " ORDER BY seq",
                notice_id,
            )
        finally:
            await connection.close()
        return [json.loads(row["payload"]) for row in rows]

    first, second = asyncio.run(told())
    assert [(one.get("count"), one["masked"]) for one in first["releases"]] == [(40, False), (None, True)]
    assert second["releases"] == []
    assert "2077474" not in str(first)
    assert "Esimerkki" not in str(first)


# -- other systems


def test_another_systems_submission_is_validated_routed_and_answered(matters: Matters, stack: Stack) -> None:
    notice_id = str(uuid4())
    submit(stack.client(), (notice_id, SUBMITTED, submission(notice_id), matters.unique))
    matters.complete(notice_id)
    assert matters.callers.coordinator.read(f"/v1/notices/{notice_id}")["channel"] == "topic"


def test_a_submission_delivered_twice_opens_one_case_in_each_store(matters: Matters, stack: Stack) -> None:
    notice_id = str(uuid4())
    record = (notice_id, SUBMITTED, submission(notice_id), matters.unique)
    submit(stack.client(), record, record, (notice_id, SUBMITTED, submission(notice_id), f"{matters.unique}-2"))
    wait_for(lambda: has_read_everything(matters.callers.operator), "the joint office to read both")
    assert matters.complete(notice_id)["version"] == 1


def test_revisions_that_arrive_out_of_order_take_effect_in_order(matters: Matters, stack: Stack) -> None:
    notice_id = str(uuid4())
    records = [
        (notice_id, SUBMITTED, submission(notice_id, 3, sites=[{"municipality": "049"}]), f"{matters.unique}-3"),
        (notice_id, SUBMITTED, submission(notice_id, 2, sites=[]), f"{matters.unique}-2"),
        (notice_id, SUBMITTED, submission(notice_id, 1), f"{matters.unique}-1"),
    ]
    submit(stack.client(), *records)
    matters.complete(notice_id, version=3)
    assert matters.states(notice_id) == {"espoo": "stored", "helsinki": "stored", "vantaa": "released"}
    revisions = matters.callers.coordinator.read(f"/v1/notices/{notice_id}/revisions")["items"]
    assert [(one["revision"], one["waiting"]) for one in revisions] == [(1, False), (2, False), (3, False)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"employer": {"business_id": BAD_BUSINESS_ID}}, "wrong-business-id"),
        ({"language": "de"}, "invalid-body"),
        ({"employer": {"business_id": "2077474-0", "name": TEST_IDENTITY_CODE}}, "personal-identity-code"),
        ({"negotiations": {"matters": "x" * 300_000}}, "body-too-large"),
    ],
)
def test_a_bad_submission_is_parked_and_never_lost(
    callers: Callers, matters: Matters, stack: Stack, change: dict[str, Any], code: str
) -> None:
    notice_id = str(uuid4())
    submit(stack.client(), (notice_id, SUBMITTED, submission(notice_id, **change), matters.unique))

    def look() -> dict[str, Any] | None:
        items = callers.operator.read("/v1/parked?limit=200&state=parked")["items"]
        return next((one for one in items if one["code"] == code), None)

    parked = wait_for(look, "the parked record")
    assert parked["topic"] == "inbound.change-notices.v1"
    assert "x" * 100 not in str(parked)
    assert TEST_IDENTITY_CODE not in str(parked)
    done = callers.operator.send(f"/v1/parked/{parked['id']}/discard", {"reason": "the sender was told"})
    assert done == {"handled": 0}
    acts = callers.operator.read(f"/v1/parked/{parked['id']}/audit")["items"]
    assert [(act["act"], act["actor"]) for act in acts] == [("discard", "officer-of-helsinki")]
    assert callers.operator.post(f"/v1/parked/{parked['id']}/replay", json={"reason": "again"}).status_code == 409


def test_a_system_may_not_revise_or_withdraw_what_another_filed(matters: Matters, stack: Stack) -> None:
    notice_id = str(uuid4())
    submit(stack.client(), (notice_id, SUBMITTED, submission(notice_id), matters.unique))
    matters.complete(notice_id)
    submit(
        stack.client(),
        (notice_id, SUBMITTED, submission(notice_id, 2, sites=[]), f"{matters.unique}-x"),
        source="/systems/stranger",
    )
    _parked_and_discarded(matters, "not-the-submitter")
    assert matters.ledger(notice_id)["version"] == 1


def test_a_strangers_revision_that_waits_is_not_put_in_force_and_a_second_one_is_parked(
    matters: Matters, stack: Stack
) -> None:
    notice_id = str(uuid4())
    early = (notice_id, SUBMITTED, submission(notice_id, 2, sites=[]), f"{matters.unique}-2")
    submit(stack.client(), early, source="/systems/stranger")
    submit(stack.client(), (notice_id, SUBMITTED, submission(notice_id), f"{matters.unique}-1"))
    matters.complete(notice_id)
    assert matters.ledger(notice_id)["version"] == 1
    revisions = matters.callers.coordinator.read(f"/v1/notices/{notice_id}/revisions")["items"]
    assert [(one["revision"], one["waiting"]) for one in revisions] == [(1, False), (2, True)]
    submit(stack.client(), (notice_id, SUBMITTED, submission(notice_id, 3), f"{matters.unique}-3"))
    submit(stack.client(), (notice_id, SUBMITTED, submission(notice_id, 3, sites=[]), f"{matters.unique}-3b"))
    _parked_and_discarded(matters, "stale-predecessor")


def test_an_offices_word_is_taken_on_its_own_topic_alone(matters: Matters, stack: Stack) -> None:
    notice_id = str(uuid4())
    told = {
        "type": "change-security.notice-filed.v1",
        "notice_id": notice_id,
        "authority": "vantaa",
        "revision": 1,
        "arrived_at": "2026-11-24T07:00:00Z",
        "registered_at": "2026-11-24T07:00:00Z",
        "filing": proposal_json(),
    }
    submit(stack.client(), (notice_id, str(told["type"]), told, matters.unique))
    _parked_and_discarded(matters, "unknown-type")


def test_a_receipt_never_claims_more_than_the_store_has(matters: Matters, stack: Stack) -> None:
    for process in ("helsinki", "espoo"):
        stack.child("change_security", process).freeze()
    try:
        notice_id = matters.file()["notice_id"]
        matters.wait_case("vantaa", notice_id, state="open")
        wait_for(lambda: matters.states(notice_id)["vantaa"] == "stored", "Vantaa's receipt")
        assert matters.states(notice_id) == {"espoo": "sent", "helsinki": "sent", "vantaa": "stored"}
        assert matters.ledger(notice_id)["complete"] is False
    finally:
        for process in ("helsinki", "espoo"):
            stack.child("change_security", process).thaw()
    matters.complete(notice_id, seconds=60)


def test_an_office_cannot_speak_for_another(matters: Matters, stack: Stack) -> None:
    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)
    told = {
        "type": "change-security.notice-acknowledged.v1",
        "notice_id": notice_id,
        "authority": "vantaa",
        "acting_authority": "helsinki",
        "acknowledged_at": "2026-11-24T07:00:00Z",
    }
    submit(
        stack.client(),
        (notice_id, str(told["type"]), told, matters.unique),
        source="/offices/helsinki/change-security",
        topic="from.helsinki.change-security.v1",
    )
    _parked_and_discarded(matters, "sender-mismatch")
    assert matters.states(notice_id)["vantaa"] == "stored"


def _told(version: int, municipality: str = "092", **changes: Any) -> dict[str, Any]:
    return {
        "notice_id": UUID(int=7),
        "version": version,
        "revision": version,
        "authority": "vantaa",
        "reasons": [{"kind": "workplace", "municipality": municipality}],
        "handling_mode": "own",
        "routing_version": "test",
        "arrived_at": "2026-11-24T07:00:00Z",
        "registered_at": "2026-11-24T07:00:00Z",
        "acknowledge_by": "2026-11-26T14:00:00Z",
        "filing": proposal_json(),
    } | changes


@pytest.mark.parametrize("together", [True, False])
def test_whatever_the_order_of_messages_the_newest_version_stands(stack: Stack, *, together: bool) -> None:
    """Every order of assigned, amended and withdrawn gives the same case, in one transaction or in three."""
    settings = settings_of(stack, "vantaa")
    events: list[tuple[Any, Any]] = [
        (handlers.open_case, NoticeAssigned.model_validate(_told(1))),
        (handlers.open_case, NoticeAmended.model_validate(_told(2, "049", missing=["/negotiations/place"]))),
        (
            handlers.withdraw_case,
            NoticeWithdrawn(notice_id=UUID(int=7), version=3, revision=2, authority="vantaa"),
        ),
    ]

    async def run(order: tuple[int, ...]) -> dict[str, Any]:
        schema = f"order_{uuid4().hex[:8]}"
        engine = engine_for(settings, schema)
        await migrate(engine, CHANGE_SECURITY.migrations, schema)
        database = Database(engine, "vantaa", SystemClock(), TracerProvider().get_tracer("test"))
        groups = [order] if together else [(place,) for place in order]
        for group in groups:
            async with database.transaction(uuid4()) as tx:
                for place in group:
                    handler, event = events[place]
                    await handler(event, tx)
        async with database.read() as tx:
            case = await Cases(tx).read(UUID(int=7))
            revisions = [row.revision for row in await Cases(tx).revisions(UUID(int=7), 50, None)]
        await engine.dispose()
        assert case is not None
        return {
            "state": case.state,
            "version": case.version,
            "revision": case.revision,
            "reasons": [reason.model_dump(mode="json") for reason in case.reasons],
            "missing": list(case.missing),
            "arrived": case.arrived_at is not None,
            "revisions": revisions,
        }

    found = {order: asyncio.run(run(order)) for order in permutations(range(3))}
    for order, case in found.items():
        assert (case["state"], case["version"], case["arrived"]) == ("withdrawn", 3, True), order
        assert case["revisions"] == [1, 2]
    # An older version that comes after a newer one changes nothing of it.
    newest_first = found[(1, 0, 2)]
    assert newest_first["reasons"] == [{"kind": "workplace", "municipality": "049"}]
    assert newest_first["missing"] == ["/negotiations/place"]
    assert newest_first == found[(0, 1, 2)]


# -- the joint office away


def test_a_city_files_and_handles_a_notice_with_the_joint_office_down_and_it_reconciles(
    callers: Callers, matters: Matters, stack: Stack
) -> None:
    joint = stack.child("change_security", "pks")
    joint.stop()
    try:
        vantaa = callers.officer["vantaa"]
        case = vantaa.send("/v1/notices", {"filing": proposal_json(), "arrived_at": "2026-11-24T07:00:00Z"})
        notice_id = case["notice_id"]
        assert case["state"] == "open"
        vantaa.send(f"/v1/cases/{notice_id}/specialist", {"specialist": "officer-3"}, "PUT")
        vantaa.send(f"/v1/cases/{notice_id}/acknowledgement")
        vantaa.send(
            f"/v1/cases/{notice_id}/revisions",
            {"predecessor": 1, "filing": proposal_json(sites=[{"municipality": "092"}])},
        )
    finally:
        joint.start()
        stack.wait_ready("change_security", "pks")
    ledger = matters.complete(notice_id, version=2, seconds=60)
    assert ledger["earliest_receipt"] == "2026-11-24T07:00:00Z"
    wait_for(lambda: matters.states(notice_id)["vantaa"] == "acknowledged", "Vantaa's acknowledgement")
    assert matters.states(notice_id) == {"espoo": "released", "helsinki": "stored", "vantaa": "acknowledged"}
    assert matters.case("vantaa", notice_id)["specialist"] == "officer-3"
    assert matters.case("helsinki", notice_id)["revision"] == 2


def test_a_city_that_registers_a_notice_not_its_own_is_told_so(callers: Callers, matters: Matters) -> None:
    filing = proposal_json(sites=[])
    notice_id = callers.officer["vantaa"].send("/v1/notices", {"filing": filing})["notice_id"]
    matters.wait_case("vantaa", notice_id, state="released")
    matters.complete(notice_id)
    assert matters.states(notice_id) == {"helsinki": "stored", "vantaa": "released"}


# -- outside the region


def test_an_authority_outside_the_region_gets_an_e_mail_with_its_own_receipt(
    callers: Callers, matters: Matters, stack: Stack
) -> None:
    mails: list[Any] = []

    class Inbox:
        async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
            mails.append(envelope)
            return "250 taken"

    imported = Child(
        "import",
        [
            str(Path(__import__("sys").executable)),
            "-m",
            "services.change_security",
            "import-authorities",
            str(national_classification()),
            "--valid-from",
            "2026-01-01",
        ],
        stack.logs / "import.log",
        env=stack.environment("pks"),
    )
    imported.start()
    wait_for(lambda: not imported.running, "the import")
    assert "imported 304 municipalities" in imported.log.read_text()
    port = free_port()
    settings = settings_of(stack, "pks", smtp_host="127.0.0.1", smtp_port=port, smtp_starttls=False)
    office = JointOffice(Rulebook(data.authorities(), data.rules()), shipped=data.authorities())

    async def known() -> bool:
        database = writer_of(settings)
        async with database.read() as tx:
            await office.read_directory(tx)
        await database.engine.dispose()
        return office.book.authorities.authority_of("853", date(2026, 11, 24)) is not None

    assert asyncio.run(known())
    # The running joint office takes the new table into use by itself.
    wait_for(lambda: _routes_to_turku(callers, matters), "the new table")
    notice_id = matters.file(sites=[{"municipality": "853"}])["notice_id"]
    (delivery,) = callers.coordinator.read(f"/v1/notices/{notice_id}/deliveries")["items"]
    assert (delivery["state"], delivery["waiting_for"]) == ("waiting", "no_address")
    authority = delivery["authority"]
    path = f"/v1/authorities/{authority}/email"
    assert callers.coordinator.put(path, json={"email": "muutosturva@turku.example"}).status_code == 200

    async def send() -> int:
        database = writer_of(settings)
        async with database.read() as tx:
            await office.read_directory(tx)
        sent = await EmailDelivery(database, Letters(office, None), settings).send_due()
        await database.engine.dispose()
        return sent

    assert asyncio.run(send()) == 0  # nobody listens yet
    (delivery,) = callers.coordinator.read(f"/v1/notices/{notice_id}/deliveries")["items"]
    assert (delivery["state"], delivery["attempts"]) == ("queued", 1)
    smtp = Controller(Inbox(), hostname="127.0.0.1", port=port)
    smtp.start()
    try:
        asyncio.run(_make_due(stack, notice_id))
        assert asyncio.run(send()) >= 1
    finally:
        smtp.stop()
    (delivery,) = callers.coordinator.read(f"/v1/notices/{notice_id}/deliveries")["items"]
    assert (delivery["state"], delivery["protection"]) == ("sent", "plain")
    letter = next(mail for mail in mails if notice_id.encode() in mail.content)
    assert letter.rcpt_tos == ["muutosturva@turku.example"]
    head, _, _ = letter.content.partition(b"\r\n\r\n")
    assert b"Esimerkki" not in head
    assert f"<{delivery['delivery_id']}.".encode() in head
    ledger = callers.coordinator.send(f"/v1/notices/{notice_id}/authorities/{authority}/acknowledgement")
    entry = next(one for one in ledger["entries"] if one["authority"] == authority)
    assert (entry["state"], entry["handling_mode"]) == ("acknowledged", "external")
    assert _confirmed_by(callers, notice_id) == "coordinator"


def _confirmed_by(callers: Callers, notice_id: str) -> str:
    listed = callers.coordinator.read("/v1/deliveries?state=confirmed&limit=200")["items"]
    return next(str(one["confirmed_by"]) for one in listed if one["notice_id"] == notice_id)


def _routes_to_turku(callers: Callers, matters: Matters) -> bool:
    notice_id = matters.file(sites=[{"municipality": "853"}])["notice_id"]
    routing = callers.coordinator.read(f"/v1/notices/{notice_id}/routing")
    return any(one["handling_mode"] == "external" for one in routing["recipients"])


async def _make_due(stack: Stack, notice_id: str) -> None:
    connection = await asyncpg.connect(stack.databases["pks"].url)
    await connection.execute(
        "UPDATE change_security.external_delivery SET next_attempt_at = now() WHERE notice_id = $1", notice_id
    )
    await connection.close()


def test_a_new_classification_ends_the_old_one_the_day_before(stack: Stack) -> None:
    settings = settings_of(
        stack, "espoo"
    )  # another office's database, so that the running joint office is not disturbed
    lines = [
        "municipality_code,municipality_fi,municipality_sv,authority_code,authority_name",
        "990,Uusikunta,Nykommun,uusi,Uusi",
    ]

    async def import_twice() -> list[tuple[date, date | None]]:
        database = writer_of(settings)
        try:
            for day in (date(2025, 1, 1), date(2027, 1, 1)):
                municipalities, authorities = data.read_national(lines, day, data.authorities())
                async with database.transaction(uuid4()) as tx:
                    await Directory(tx).import_(municipalities, authorities, day)
            async with database.read() as tx:
                rows, _ = await Directory(tx).read()
            return sorted((row.valid_from, row.valid_to) for row in rows if row.code == "990")
        finally:
            await database.engine.dispose()

    assert asyncio.run(import_twice()) == [
        (date(2025, 1, 1), date(2026, 12, 31)),
        (date(2027, 1, 1), None),
    ]


# -- what is late


def test_an_overdue_receipt_is_escalated_once_and_the_city_sees_it(
    callers: Callers, matters: Matters, stack: Stack
) -> None:
    notice_id = matters.file()["notice_id"]
    matters.complete(notice_id)
    callers.officer["helsinki"].send(f"/v1/cases/{notice_id}/acknowledgement")
    wait_for(lambda: matters.states(notice_id)["helsinki"] == "acknowledged", "Helsinki's acknowledgement")
    settings = settings_of(stack, "pks")
    clock = SettableClock(SystemClock().now() + timedelta(days=10))

    async def escalate() -> None:
        database = writer_of(settings, clock)
        office = JointOffice(Rulebook(data.authorities(), data.rules()), shipped=data.authorities())
        for _ in range(40):
            async with database.transaction(uuid4()) as tx:
                if not await office.escalate(tx):
                    break
        await database.engine.dispose()

    asyncio.run(escalate())
    matters.wait_case("vantaa", notice_id, overdue="acknowledged")
    assert matters.case("helsinki", notice_id)["overdue"] is None

    async def told() -> int:
        connection = await asyncpg.connect(stack.databases["pks"].url)
        try:
            return int(
                await connection.fetchval(
                    "SELECT count(*) FROM change_security.outbox WHERE key = $1 AND type LIKE '%overdue%'", notice_id
                )
            )
        finally:
            await connection.close()

    assert asyncio.run(told()) == 2  # Espoo and Vantaa, once each
    asyncio.run(escalate())
    assert asyncio.run(told()) == 2
    callers.officer["vantaa"].send(f"/v1/cases/{notice_id}/acknowledgement")
    assert matters.case("vantaa", notice_id)["overdue"] is None


# -- rebuilding


def test_a_store_rebuilt_from_the_first_offset_has_the_same_state_hash(matters: Matters, stack: Stack) -> None:
    for _ in range(5):
        notice_id = matters.file()["notice_id"]
        revised = proposal_json(sites=[{"municipality": "235"}])
        matters.callers.system.send(f"/v1/notices/{notice_id}/revisions", {"predecessor": 1, "filing": revised})
        matters.complete(notice_id, version=2)
    # A consumer group of its own, which the office's process may not have: so as the administrator.
    settings = settings_of(stack, "espoo", **stack.kafka_settings().model_dump())

    async def rebuild() -> tuple[str, str, int]:
        rebuilt_schema = f"rebuilt_{uuid4().hex[:8]}"
        original = writer_of(settings)
        engine = engine_for(settings, rebuilt_schema)
        await migrate(engine, CHANGE_SECURITY.migrations, rebuilt_schema)
        rebuilt = Database(engine, "espoo", SystemClock(), TracerProvider().get_tracer("test"))
        rules = data.rules()
        acting = CityActing(settings.office, frozenset(settings.city_offices), rules)
        read = inbound(settings, CityPlans(settings.office), acting)
        group = f"{SERVICE}.{rebuilt_schema}"
        consumer = Consumer(
            replace(read, group=group),
            rebuilt,
            settings,
            SERVICE,
        )
        consumer.start()
        try:
            async with original.read() as tx:
                only = await _without_officers_own_acts(tx)
                wanted = await Cases(tx).state_hash(only)
            async with asyncio.timeout(30):
                found = ""
                while found != wanted:
                    await asyncio.sleep(0.1)
                    async with rebuilt.read() as tx:
                        found = await Cases(tx).state_hash(only)
            return wanted, found, len(only)
        finally:
            await consumer.stop()
            await engine.dispose()
            await original.engine.dispose()

    wanted, found, count = asyncio.run(rebuild())
    assert count >= 5
    assert found == wanted


async def _without_officers_own_acts(tx: Any) -> list[UUID]:
    from sqlalchemy import text

    rows = await tx.connection.execute(
        text(
            "SELECT notice_id FROM authority_case"
            " WHERE version > 0 AND acknowledged_at IS NULL AND specialist IS NULL AND state <> 'closed'"
        )
    )
    return list(rows.scalars())


def _parked_and_discarded(matters: Matters, code: str) -> None:
    operator = matters.callers.operator

    def look() -> dict[str, Any] | None:
        items = operator.read("/v1/parked?limit=200&state=parked")["items"]
        return next((one for one in items if one["code"] == code), None)

    parked = wait_for(look, "the parked record")
    operator.send(f"/v1/parked/{parked['id']}/discard", {"reason": "the sender was told"})
