"""What Kafka refuses a process: known apart from a broker that is away, told to operators, and tried again slowly.

Kafka's clients say the same, "unable to bootstrap", of a broker that is away and of one that takes no certificate. So
when a connection fails, one is made by hand and its end is read.
"""

import asyncio
import ssl
import struct
from collections.abc import Iterable
from typing import Final, Literal

import structlog
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.admin import ApiVersionRequest

from shared import instruments
from shared.messaging.security import Security
from shared.settings import KafkaSettings

_LOOK_SECONDS: Final = 3.0
_ALERT_SECONDS: Final = 0.5
"""TLS 1.3 refuses a certificate only after the handshake. A broker that says nothing for so long has taken it."""

_VERSIONS_REQUEST: Final = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Kafka's first question: which versions of its requests the broker knows."""

_TLS_ALERT: Final = b"\x15"

Kind = Literal["topic", "group", "connection"]
Reason = Literal[
    "certificate-expired",
    "certificate-not-sent",
    "certificate-not-trusted",
    "broker-not-trusted",
    "credentials-refused",
    "tls-needed",
    "tls-not-spoken",
]
_log = structlog.get_logger("shared.messaging.refusals")


class Refusals:
    """What one part of a process is refused now: a log line and a gauge for each, until it is granted."""

    def __init__(self, office: str, service: str, security: Security) -> None:
        self._labels = (office, service)
        self._security = security
        self._now: set[tuple[Kind, str]] = set()

    def __bool__(self) -> bool:
        """Whether anything is refused."""
        return bool(self._now)

    def add(self, kind: Kind, names: Iterable[str]) -> None:
        """Note that Kafka refuses these."""
        for name in sorted(set(names)):
            if (kind, name) not in self._now:
                self._now.add((kind, name))
                _log.error("kafka refuses", what=kind, name=name, principal=self._security.principal)
            instruments.REFUSED_BY_KAFKA.labels(*self._labels, kind, name).set(1)

    def remove(self, kind: Kind, names: Iterable[str]) -> None:
        """Note that Kafka grants these, if it refused them before."""
        for name in sorted(set(names)):
            if (kind, name) in self._now:
                self._now.discard((kind, name))
                instruments.REFUSED_BY_KAFKA.remove(*self._labels, kind, name)
                _log.info("kafka grants again", what=kind, name=name, principal=self._security.principal)

    def clear(self, *kinds: Kind) -> None:
        """Note that Kafka refuses nothing of these kinds any more; without any, nothing at all."""
        for kind, name in list(self._now):
            if not kinds or kind in kinds:
                self.remove(kind, [name])

    async def judge(self, error: BaseException, settings: KafkaSettings, *, topics: Iterable[str], group: str) -> bool:
        """Note what an error of Kafka's client says is refused. False if it says nothing of that.

        Args:
            error: what the client raised.
            settings: where Kafka is.
            topics: what is refused, where the error names no topic.
            group: the same for the group.
        """
        match error:
            case TopicAuthorizationFailedError():
                self.add("topic", topics_of(error) or topics)
            case GroupAuthorizationFailedError():
                self.add("group", [group])
            case KafkaError():
                reason = await reason_of(settings, self._security)
                if reason is None:
                    return False
                self.add("connection", [reason])
            case _:
                return False
        return True


def topics_of(error: TopicAuthorizationFailedError) -> set[str]:
    """Return the topics that an error names: aiokafka gives one, or a set."""
    named = error.args[0] if error.args else ()
    return {named} if isinstance(named, str) else set(named)


async def reason_of(settings: KafkaSettings, security: Security) -> Reason | None:
    """Return why Kafka and this process do not come together; None if it is away, or nothing is wrong."""
    for place in settings.kafka_bootstrap_servers.split(","):
        host, _, port = place.strip().rpartition(":")
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                if (reason := await _look(host.strip("[]"), int(port), settings, security)) is not None:
                    return reason
        except (OSError, TimeoutError, ValueError):
            continue
    return None


async def _look(host: str, port: int, settings: KafkaSettings, security: Security) -> Reason | None:
    if settings.kafka_security == "plaintext":
        return "tls-needed" if await _wants_tls(host, port) else None
    if security.is_expired:
        return "certificate-expired"
    try:
        context = security.options["ssl_context"]
        reader, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
        try:
            await asyncio.wait_for(reader.read(1), _ALERT_SECONDS)
        except TimeoutError:
            pass
        finally:
            writer.transport.abort()
    except ssl.SSLCertVerificationError:
        return "broker-not-trusted"
    except ssl.SSLError as error:
        return _meaning(error)
    return await _credentials(host, port, settings, security) if settings.kafka_security != "mtls" else None


def _meaning(error: ssl.SSLError) -> Reason:
    reason = (error.reason or "").upper()
    if "WRONG_VERSION_NUMBER" in reason or "PROTOCOL_VERSION" in reason or "RECORD_LAYER" in reason:
        return "tls-not-spoken"
    if "BAD_CERTIFICATE" in reason or "CERTIFICATE_REQUIRED" in reason:
        return "certificate-not-sent"
    return "certificate-not-trusted"


async def _wants_tls(host: str, port: int) -> bool:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(_VERSIONS_REQUEST)
        answer = await reader.read(1)
    except ConnectionError:
        return True
    finally:
        writer.transport.abort()
    # Kafka in plain text begins its answer with a length, which is never so large.
    return answer in {b"", _TLS_ALERT}


async def _credentials(host: str, port: int, settings: KafkaSettings, security: Security) -> Reason | None:
    try:
        connection = await create_conn(host, port, **security.options)
    except (AuthenticationFailedError, SaslAuthenticationFailed):
        return "credentials-refused"
    except KafkaError:
        return None
    try:
        # A refused token seems to be taken: aiokafka does not read the answer. The next request is answered by an
        # error.
        if settings.kafka_security == "oauthbearer" and (await connection.send(ApiVersionRequest())).error_code:
            return "credentials-refused"
    except (KafkaError, OSError):
        return "credentials-refused"
    finally:
        connection.close()
    return None
