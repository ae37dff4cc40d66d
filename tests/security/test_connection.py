"""Why a process and Kafka do not come together is named; a certificate is renewed without a restart."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from deploy.certificates import Authority
from deploy.local.processes import free_port
from shared.messaging.refusals import Refusals, reason_of
from shared.messaging.security import Security, client_of
from shared.settings import KafkaSettings
from tests.support.bus import GuardedBus

US = "change-security.vantaa"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority than the broker's."""
    return Authority(tmp_path_factory.mktemp("foreign"))


async def reason(settings: KafkaSettings) -> str | None:
    return await reason_of(settings, Security(settings))


async def test_a_good_connection_has_no_reason(bus: GuardedBus) -> None:
    assert await reason(bus.settings(US)) is None


async def test_a_broker_that_is_away_refuses_nothing(bus: GuardedBus) -> None:
    assert await reason(bus.settings(US, kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")) is None


async def test_every_reason_is_named(bus: GuardedBus, foreign: Authority) -> None:
    expired = bus.identities.authority.issue(US, lifetime=timedelta(hours=-1), folder="expired")
    other = foreign.issue(US)
    cases: dict[str, dict[str, Any]] = {
        "certificate-expired": {"kafka_certificate_file": expired.own},
        "certificate-not-trusted": {"kafka_certificate_file": other.own},
        "broker-not-trusted": {"kafka_ca_file": other.ca},
        "certificate-not-sent": {"kafka_security": "oauthbearer", "kafka_token_file": Path("/none")},
        "tls-needed": {"kafka_security": "plaintext"},
    }
    found = {name: await reason(bus.settings(US, **changes)) for name, changes in cases.items()}
    assert found == {name: name for name in cases}


async def test_a_port_that_speaks_no_tls_is_named(bus: GuardedBus) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x00\x00\x04what")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await reason(bus.settings(US, kafka_bootstrap_servers=f"127.0.0.1:{port}")) == "tls-not-spoken"


async def test_the_kernel_tells_a_certificate_that_is_not_taken_from_a_broker_that_is_away(
    bus: GuardedBus, foreign: Authority
) -> None:
    settings = bus.settings(US, kafka_certificate_file=foreign.issue(US).own)
    security = Security(settings)
    refusals = Refusals("vantaa", "change-security", security)
    away = settings.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{free_port()}"})
    assert await refusals.judge(KafkaConnectionError(), away, topics=(), group="") is False
    assert not refusals
    assert await refusals.judge(KafkaConnectionError(), settings, topics=(), group="") is True
    assert refusals
    refusals.clear()


async def writes(settings: KafkaSettings, topic: str) -> bool:
    producer = AIOKafkaProducer(**client_of(settings))
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"")
    except TopicAuthorizationFailedError:
        return False
    else:
        return True
    finally:
        await producer.stop()


async def test_a_password_names_a_principal_like_a_certificate_does(bus: GuardedBus) -> None:
    bus.know_password(US, "right")
    settings = bus.with_password(US, "right")
    assert await reason(settings) is None
    assert await writes(settings, "from.vantaa.change-security.v1")
    assert not await writes(settings, "from.espoo.change-security.v1")
    assert await reason(bus.with_password(US, "wrong")) == "credentials-refused"


async def test_a_token_names_a_principal_like_a_certificate_does(bus: GuardedBus) -> None:
    settings = bus.with_token(US)
    assert await reason(settings) is None
    assert await writes(settings, "from.vantaa.change-security.v1")
    assert not await writes(settings, "from.espoo.change-security.v1")
    assert await reason(bus.with_token(US, audience="somebody else")) == "credentials-refused"


@pytest.fixture
def short_lived(bus: GuardedBus) -> tuple[KafkaSettings, str]:
    """A certificate that expires in six seconds, in a place of its own."""
    place = f"short-{uuid4().hex[:8]}"
    files = bus.identities.authority.issue(US, lifetime=timedelta(seconds=6), folder=place)
    return bus.settings(US, kafka_certificate_file=files.own), place


async def connects(security: Security, bootstrap: str) -> bool:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **security.options)
    try:
        await producer.start()
    except KafkaConnectionError:
        return False
    else:
        return True
    finally:
        await producer.stop()


async def test_a_certificate_is_renewed_without_a_restart(
    bus: GuardedBus, short_lived: tuple[KafkaSettings, str]
) -> None:
    settings, place = short_lived
    renewed, left = Security(settings), Security(settings)
    assert await connects(renewed, bus.kafka.bootstrap)
    before = renewed.expires
    bus.identities.authority.issue(US, folder=place)
    renewed.renew()
    assert renewed.expires is not None
    assert before is not None
    assert renewed.expires > before
    await asyncio.sleep((before - datetime.now(UTC)).total_seconds() + 1)
    assert not await connects(left, bus.kafka.bootstrap)
    assert await connects(renewed, bus.kafka.bootstrap)


async def test_a_file_that_is_no_certificate_changes_nothing(
    bus: GuardedBus, short_lived: tuple[KafkaSettings, str]
) -> None:
    settings, _ = short_lived
    security = Security(settings)
    assert settings.kafka_certificate_file is not None
    settings.kafka_certificate_file.write_text("half a fi")
    security.renew()
    assert await connects(security, bus.kafka.bootstrap)


def test_a_setting_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="KAFKA_CA_FILE"):
        Security(KafkaSettings(kafka_bootstrap_servers="nowhere"))
