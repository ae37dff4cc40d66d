"""Whoever filed hears: by the receipts' topic, by a signed webhook, by a letter."""

import asyncio
import json
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.client import Caller, Callers, wait_for
from deploy.local.sample_data import proposal_json
from deploy.local.stack import JOINT, Stack
from services.change_security.domain.webhook import sign
from tests.support.matters import Matters, submit
from tests.support.webhook_receiver import Received, WebhookReceiver

SUBMITTED = "change-security.notice-submitted.v1"
WITHDRAWN = "change-security.notice-withdrawal-submitted.v1"
TOPIC = "receipts.change-notices.v1"


def submission(notice_id: str, revision: int = 1, **changes: Any) -> dict[str, Any]:
    return {"type": SUBMITTED, "notice_id": notice_id, "revision": revision, "filing": proposal_json(**changes)}


def receipts(stack: Stack, key: str) -> list[dict[str, Any]]:
    """Return the receipts of a notice in order, heartbeats left out."""

    async def read() -> list[dict[str, Any]]:
        consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = [TopicPartition(TOPIC, number) for number in consumer.partitions_for_topic(TOPIC) or ()]
            partitions = partitions or [TopicPartition(TOPIC, number) for number in range(4)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            found = []
            for partition in partitions:
                while await consumer.position(partition) < ends[partition]:
                    batch = await consumer.getmany(partition, timeout_ms=1000)
                    found += [record for records in batch.values() for record in records]
            return [json.loads(record.value) for record in found if record.key == key.encode()]
        finally:
            await consumer.stop()

    return asyncio.run(read())


def wait_receipts(stack: Stack, key: str, *kinds: str) -> list[dict[str, Any]]:
    names = [f"change-security.filing-{kind}.v1" for kind in kinds]

    def look() -> list[dict[str, Any]] | None:
        found = receipts(stack, key)
        return found if [one["type"] for one in found] == names else None

    return wait_for(look, f"the receipts {kinds}")


def test_a_system_on_the_topic_hears_of_every_step_and_of_what_is_refused(matters: Matters, stack: Stack) -> None:
    notice_id, unique = str(uuid4()), matters.unique
    incomplete = {"kind": "negotiation_proposal", "employer": {"business_id": "2077474-0", "domicile": "091"}}
    first = {"type": SUBMITTED, "notice_id": notice_id, "filing": incomplete}
    submit(stack.kafka.bootstrap, (notice_id, SUBMITTED, first, f"{unique}-1"))
    submit(stack.kafka.bootstrap, (notice_id, SUBMITTED, submission(notice_id, 2), f"{unique}-2"))
    submit(stack.kafka.bootstrap, (notice_id, WITHDRAWN, {"type": WITHDRAWN, "notice_id": notice_id}, f"{unique}-3"))
    submit(stack.kafka.bootstrap, (notice_id, SUBMITTED, submission(notice_id, 3), f"{unique}-4"))
    accepted, revised, withdrawn, refused = wait_receipts(
        stack, notice_id, "accepted", "revised", "withdrawn", "refused"
    )
    assert "/negotiations/place" in accepted["missing"]
    assert [one["authority"] for one in accepted["authorities"]] == ["helsinki"]
    assert (revised["revision"], revised["missing"]) == (2, [])
    assert withdrawn["filed_by"] == accepted["filed_by"] == "topic:/systems/portal"
    assert (refused["code"], refused["event_id"]) == ("not-open", f"{unique}-4")
    # The operator finds the parked record by the receipt's id; given up, it is not answered again.
    operator = matters.callers.operator
    assert operator.read(f"/v1/parked/{refused['refusal_id']}")["code"] == "not-open"
    operator.send(f"/v1/parked/{refused['refusal_id']}/discard", {"reason": "the sender was told"})
    assert len(receipts(stack, notice_id)) == 4


def test_what_is_held_behind_a_parked_record_is_answered_when_it_is_judged(matters: Matters, stack: Stack) -> None:
    notice_id, unique = str(uuid4()), matters.unique
    bad = submission(notice_id, language="de")
    stale = {"type": WITHDRAWN, "notice_id": notice_id}
    submit(
        stack.kafka.bootstrap, (notice_id, SUBMITTED, bad, f"{unique}-1"), (notice_id, WITHDRAWN, stale, f"{unique}-2")
    )
    (refused,) = wait_receipts(stack, notice_id, "refused")
    assert (refused["code"], refused["event_id"]) == ("invalid-body", f"{unique}-1")
    operator = matters.callers.operator

    def held() -> bool:
        items = operator.read("/v1/parked?limit=200&state=held")["items"]
        return any(one["code"] == "held-back" for one in items)

    wait_for(held, "the record behind it")
    operator.send(f"/v1/parked/{refused['refusal_id']}/discard", {"reason": "the sender was told"})
    _, second = wait_receipts(stack, notice_id, "refused", "refused")
    assert (second["code"], second["event_id"]) == ("unknown-notice", f"{unique}-2")
    operator.send(f"/v1/parked/{second['refusal_id']}/discard", {"reason": "the sender was told"})


def portal(stack: Stack) -> Caller:
    token = stack.issuer.system(f"portal-{uuid4().hex}", "notices:write", "notices:read")
    return Caller(stack.url("change_security", JOINT), token)


def deliveries(system: Caller) -> list[dict[str, Any]]:
    return list(system.read("/v1/webhooks/mine/deliveries")["items"])


def deliveries_after(system: Caller, attempts: int) -> list[dict[str, Any]]:
    return [one for one in deliveries(system) if len(one["attempts"]) == attempts]


def make_due(stack: Stack, message_id: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(stack.databases[JOINT].url)
        await connection.execute(
            "UPDATE change_security.webhook_message SET next_attempt_at = now() WHERE message_id = $1", message_id
        )
        await connection.close()

    asyncio.run(run())


def is_signed(received: Received, secret: str) -> bool:
    expected = sign(secret, received.headers["webhook-id"], int(received.headers["webhook-timestamp"]), received.body)
    return received.headers["webhook-signature"] == expected


def test_a_webhook_is_signed_tried_again_logged_and_sent_again_by_hand(stack: Stack) -> None:
    system = portal(stack)
    with WebhookReceiver(500, 302) as receiver:
        put = {"url": receiver.url}
        webhook = system.send("/v1/webhooks/mine", put, method="PUT")
        secret = webhook["secret"]
        assert secret.startswith("whsec_")
        assert system.send("/v1/webhooks/mine", put, method="PUT")["secret"] is None
        assert "secret" not in system.read("/v1/webhooks")["items"][0]
        notice_id = system.send("/v1/notices", {"filing": proposal_json()})["notice_id"]
        for attempts in (1, 2):
            (message,) = wait_for(partial(deliveries_after, system, attempts), f"{attempts} attempts")
            assert message["state"] == "pending"
            make_due(stack, message["message_id"])
        # A redirect is not followed: that was the second attempt, not another request.
        wait_for(lambda: deliveries(system)[0]["state"] == "delivered", "the delivery")
        (message,) = deliveries(system)
        assert [one["status"] for one in message["attempts"]] == [500, 302, 204]
        assert [one.headers["webhook-id"] for one in receiver.received] == [message["message_id"]] * 3
        assert all(is_signed(one, secret) for one in receiver.received)
        body = json.loads(receiver.received[0].body)
        assert body["type"] == "change-security.filing-accepted.v1"
        assert body["data"]["notice_id"] == notice_id
        assert b"Esimerkki" not in receiver.received[0].body
        again = f"/v1/webhooks/mine/deliveries/{message['message_id']}/redelivery"
        assert system.send(again)["state"] == "pending"
        wait_for(lambda: len(receiver.received) == 4, "the same message again")
        system.send(f"/v1/notices/{notice_id}/withdrawal")
        wait_for(lambda: b"filing-withdrawn" in receiver.received[-1].body, "the next receipt")
    stranger = portal(stack)
    assert stranger.read("/v1/webhooks")["items"] == []
    assert stranger.get("/v1/webhooks/mine/deliveries").status_code == 404
    assert stranger.post(again).status_code == 404
    assert system.http.delete("/v1/webhooks/mine").status_code == 204
    assert system.get("/v1/webhooks/mine/deliveries").status_code == 404


def test_a_webhook_leads_nowhere_that_is_not_public_and_is_a_systems_alone(callers: Callers, stack: Stack) -> None:
    system = portal(stack)
    for url in ("http://portal.example/hook", "https://10.0.0.1/hook"):
        refused = system.put("/v1/webhooks/mine", json={"url": url})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/url")
    assert callers.coordinator.put("/v1/webhooks/mine", json={"url": "https://portal.example"}).status_code == 403
    chosen = {"url": "https://portal.example/hook", "events": ["change-security.filing-closed.v1"]}
    assert system.send("/v1/webhooks/mine", chosen, method="PUT")["events"] == chosen["events"]
    system.send("/v1/notices", {"filing": proposal_json()})
    assert deliveries(system) == []
    for number in range(9):
        assert system.put(f"/v1/webhooks/w{number}", json=chosen).status_code == 200
    assert system.put("/v1/webhooks/w9", json=chosen).json()["type"] == "urn:problem:too-many-webhooks"
