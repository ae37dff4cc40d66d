"""What operators see and do while everything runs: lag, heartbeats, small replays, rehearsals."""

import re
from uuid import uuid4

import httpx

from deploy.local.client import Callers, has_read_everything, wait_for
from deploy.local.processes import TLS
from deploy.local.stack import Stack
from tests.support.filings import termination_notice
from tests.support.matters import Matters


def metric(stack: Stack, office: str, name: str, service: str = "change_security", **labels: str) -> float | None:
    text = httpx.get(f"{stack.url(service, office)}/metrics", verify=TLS).text
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}(\{{.*\}})? (\S+)", line)
        if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            return float(found[2])
    return None


def test_small_replays_change_nothing_in_the_store(stack: Stack, callers: Callers, matters: Matters) -> None:
    filing = termination_notice(40).model_dump(mode="json")
    notice_id = callers.system.send("/v1/notices", {"filing": filing})["notice_id"]
    wait_for(lambda: callers.officer["vantaa"].get(f"/v1/cases/{notice_id}").is_success, "the case")
    topic = "to.vantaa.change-security.v1"
    operator = callers.city_operator["vantaa"]
    duplicates = metric(stack, "vantaa", "messaging_records_total", topic=topic, outcome="duplicate") or 0
    handled = metric(stack, "vantaa", "messaging_records_total", topic=topic, outcome="handled")
    before = operator.read("/v1/state-hash")
    operator.send("/v1/consumer/rewind", {"records": 25})

    def absorbed() -> bool:
        return (metric(stack, "vantaa", "messaging_records_total", topic=topic, outcome="duplicate") or 0) > duplicates

    wait_for(absorbed, "the inbox to absorb what was read again")
    wait_for(lambda: has_read_everything(operator), "the end of the topic")
    assert operator.read("/v1/state-hash") == before
    assert metric(stack, "vantaa", "messaging_records_total", topic=topic, outcome="handled") == handled


def test_a_paused_consumer_lags_in_records_and_seconds_and_catches_up(stack: Stack, callers: Callers) -> None:
    operator = callers.city_operator["vantaa"]
    operator.send("/v1/consumer/pause")
    try:
        filing = termination_notice(40).model_dump(mode="json")
        notice_id = callers.system.send("/v1/notices", {"filing": filing})["notice_id"]

        # What a fetch under way still brings is handled at once; only what waits behind the pause grows a second old.
        def waits() -> bool:
            return any(lag["records"] >= 1 and lag["seconds"] > 1 for lag in operator.read("/v1/consumer/lag"))

        wait_for(waits, "the record that waits")
    finally:
        operator.send("/v1/consumer/resume")
    wait_for(lambda: callers.officer["vantaa"].get(f"/v1/cases/{notice_id}").is_success, "the case")
    wait_for(lambda: has_read_everything(operator), "no lag")


def test_heartbeats_come_on_a_quiet_topic_and_stop_when_the_writer_does(stack: Stack, callers: Callers) -> None:
    def beat(service: str = "change_security") -> float:
        topic = f"to.espoo.{service.replace('_', '-')}.v1"
        return metric(stack, "espoo", "messaging_heartbeat_timestamp_seconds", service, topic=topic) or 0

    first = wait_for(lambda: beat() or None, "a heartbeat")
    wait_for(lambda: beat() > first, "the next heartbeat")
    joint = stack.child("change_security", "pks")
    joint.stop()
    try:
        wait_for(lambda: has_read_everything(callers.city_operator["espoo"]), "what was sent before the end")
        last = beat()
        # Another writer that sends as often shows that the time for two more has passed.
        for _ in range(2):
            earlier = beat("training")
            wait_for(
                lambda earlier=earlier: beat("training") > earlier,  # type: ignore[misc]
                "a heartbeat of another writer",
            )
        assert beat() == last
    finally:
        joint.start()
        stack.wait_ready("change_security", "pks")
    wait_for(lambda: beat() > last, "heartbeats again")


def test_outbox_parking_and_office_hours_are_measured(stack: Stack, callers: Callers) -> None:
    assert callers.city_operator["vantaa"].read("/v1/outbox")["leading"] is True
    for name in ("messaging_outbox_seconds", "messaging_parked_open", "messaging_office_hours"):
        wait_for(lambda name=name: metric(stack, "vantaa", name) is not None, name)  # type: ignore[misc]
    wait_for(
        lambda: metric(stack, "vantaa", "messaging_lag_records", topic="to.vantaa.change-security.v1") is not None,
        "lag",
    )


def test_operating_needs_the_operators_role_of_the_office(callers: Callers) -> None:
    officer = callers.officer["vantaa"]
    for path in ("/v1/consumer/lag", "/v1/outbox", "/v1/parked/groups", f"/v1/parked/{uuid4()}"):
        assert officer.get(path).status_code == 403
    for path, body in (
        ("/v1/consumer/rewind", {"records": 1}),
        ("/v1/parked/replays", {"code": "invalid-body", "reason": "no"}),
    ):
        assert officer.post(path, json=body).status_code in {403, 422}
    foreign = callers.of("vantaa", "espoo", "operator")
    assert foreign.get("/v1/consumer/lag").status_code == 403
