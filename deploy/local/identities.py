"""Who everyone is towards a local Kafka: certificates of an authority made on the spot, or nobody at all."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from deploy import access
from deploy.certificates import Authority, Certificate
from deploy.local.kafka import Guard
from shared.settings import KafkaSettings

_LIFETIME: Final = timedelta(days=365)
"""As long as the authority's own: nobody renews certificates on one machine."""


class Identities:
    """Gives every principal its certificate, when it is needed.

    Attributes:
        authority: who issues them.
        guard: what the broker needs; None where Kafka knows nobody.
    """

    def __init__(self, folder: Path, joint: str, *, guarded: bool = True) -> None:
        self.authority = Authority(folder)
        self._certificates: dict[str, Certificate] = {}
        self.guard: Guard | None = None
        if guarded:
            broker, administrator = access.broker(joint), access.administrator(joint)
            own = self.authority.issue(broker, hosts=("127.0.0.1", "localhost"), lifetime=_LIFETIME)
            self.guard = Guard(own, self.certificate(administrator), (broker, administrator))

    def certificate(self, principal: str) -> Certificate:
        """Return where a principal's certificate is."""
        if principal not in self._certificates:
            self._certificates[principal] = self.authority.issue(principal, lifetime=_LIFETIME)
        return self._certificates[principal]

    def environment(self, principal: str) -> dict[str, str]:
        """Return what a program needs in its environment to prove that it is a principal."""
        if self.guard is None:
            return {"KAFKA_SECURITY": "plaintext"}
        files = self.certificate(principal)
        return {
            "KAFKA_SECURITY": "mtls",
            "KAFKA_CA_FILE": str(files.ca),
            "KAFKA_CERTIFICATE_FILE": str(files.own),
        }

    def settings(self, principal: str, bootstrap: str) -> KafkaSettings:
        """Return how a principal comes to Kafka."""
        if self.guard is None:
            return KafkaSettings(kafka_bootstrap_servers=bootstrap, kafka_security="plaintext")
        files = self.certificate(principal)
        return KafkaSettings(
            kafka_bootstrap_servers=bootstrap, kafka_ca_file=files.ca, kafka_certificate_file=files.own
        )
