"""A guarded broker alone, with the suite's topics and access lists: what is tried on it disturbs nobody."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from deploy import access, topics
from deploy.local.identities import Identities
from deploy.local.kafka import Kafka, Listener, on_java
from deploy.local.postgres import temporary_folder
from deploy.local.processes import free_port
from deploy.local.stack import ADMINISTRATOR, CITIES, JOINT, PARTIES
from shared.messaging.security import client_of
from shared.settings import KafkaSettings

ISSUER, AUDIENCE = "https://issuer.example", "kafka"
SASL = {
    "listener.security.protocol.map": "CONTROLLER:SSL,CLIENTS:SSL,SASL:SASL_SSL",
    "listener.name.sasl.ssl.client.auth": "none",
    "sasl.enabled.mechanisms": "SCRAM-SHA-512,OAUTHBEARER",
    "listener.name.sasl.scram-sha-512.sasl.jaas.config": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
    "listener.name.sasl.oauthbearer.sasl.jaas.config": (
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;"
    ),
    "listener.name.sasl.oauthbearer.sasl.server.callback.handler.class": (
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"
    ),
    "sasl.oauthbearer.expected.audience": AUDIENCE,
    "sasl.oauthbearer.expected.issuer": ISSUER,
}
"""One more listener, for those who have a password or a token."""


@dataclass
class GuardedBus:
    """The broker, and everyone who may come to it."""

    kafka: Kafka
    identities: Identities
    key: ECKey
    token_file: Path

    def with_password(self, principal: str, password: str) -> KafkaSettings:
        """How a principal comes with a password."""
        return self._over_sasl(principal, kafka_security="scram", kafka_user=principal, kafka_password=password)

    def with_token(self, principal: str, audience: str = AUDIENCE) -> KafkaSettings:
        """How a principal comes with a token."""
        now = int(time.time())
        claims = {"sub": principal, "iss": ISSUER, "aud": audience, "iat": now, "exp": now + 300}
        self.token_file.write_text(jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key))
        return self._over_sasl(principal, kafka_security="oauthbearer", kafka_token_file=self.token_file)

    def know_password(self, principal: str, password: str) -> None:
        """Give a principal a password."""
        admin = AdminClient(access.native_client_of(self.settings()))
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        known = UserScramCredentialUpsertion(principal, info, password.encode())
        for each in admin.alter_user_scram_credentials([known]).values():
            each.result()

    def _over_sasl(self, principal: str, **ways: Any) -> KafkaSettings:
        address = f"127.0.0.1:{self.kafka.listeners['sasl'].port}"
        ca = self.identities.certificate(principal).ca
        return KafkaSettings(kafka_bootstrap_servers=address, kafka_ca_file=ca, **ways)

    def settings(self, principal: str = ADMINISTRATOR, **changes: Any) -> KafkaSettings:
        """How a principal comes to the broker."""
        return self.identities.settings(principal, self.kafka.bootstrap).model_copy(update=changes)

    def client(self, principal: str = ADMINISTRATOR) -> dict[str, Any]:
        """The same for aiokafka."""
        return client_of(self.settings(principal))

    @property
    def access(self) -> access.Cluster:
        """Its access lists."""
        return access.Cluster(self.settings())


@contextmanager
def guarded_bus() -> Iterator[GuardedBus]:
    """Start the broker, and stop it."""
    folder = temporary_folder()
    identities = Identities(folder / "certificates", JOINT)
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    keys = folder / "keys.json"
    keys.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    kafka = Kafka(
        folder / "kafka",
        on_java,
        advertised={"sasl": 0},
        guard=identities.guard,
        properties=SASL | {"sasl.oauthbearer.jwks.endpoint.url": keys.as_uri()},
        options=[f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys.as_uri()}"],
        short_lived=True,
    )
    port = free_port()
    kafka.listeners["sasl"] = Listener(port, port)
    bus = GuardedBus(kafka, identities, key, folder / "token")
    try:
        kafka.start()
        kafka.wait()
        asyncio.run(topics.create(bus.client(), CITIES))
        access.apply(bus.access, PARTIES)
        yield bus
    finally:
        kafka.stop()
        shutil.rmtree(folder, ignore_errors=True)
