"""How a process proves itself to Kafka, and Kafka to it."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from aiokafka.abc import AbstractTokenProvider
from cryptography import x509
from cryptography.x509.oid import NameOID
from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLOAuthBearer, SASLScram512

from shared.settings import KafkaSettings
from shared.telemetry import describe

Value = TypeVar("Value")
_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_log = structlog.get_logger("shared.messaging.security")


class Security:
    """What every connection of a process to Kafka is secured with.

    Attributes:
        principal: the name that Kafka knows the process by, for logs; None where only Kafka knows it.
        expires: when the process's certificate does; None without one.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        """Read the files that the settings name.

        Raises:
            ValueError: a setting that this way needs is missing.
            OSError: a file cannot be read, or is no certificate.
        """
        self._settings = settings
        self._seen: tuple[tuple[int, int], ...] = ()
        self._context: ssl.SSLContext | None = None
        self.principal = settings.kafka_user
        self.expires: datetime | None = None
        self._files: Sequence[Path] = ()
        if settings.kafka_security != "plaintext":
            ca_file = _needed(settings.kafka_ca_file, "KAFKA_CA_FILE")
            self._context = ssl.create_default_context(cafile=ca_file)
            self._context.minimum_version = ssl.TLSVersion.TLSv1_3
            own = (
                [_needed(settings.kafka_certificate_file, "KAFKA_CERTIFICATE_FILE")]
                if settings.kafka_security == "mtls"
                else []
            )
            self._files = (ca_file, *own)
            self._load()

    @property
    def frame(self) -> BaseSecurity:
        """For FastStream."""
        match self._settings.kafka_security:
            case "scram":
                user = _needed(self._settings.kafka_user, "KAFKA_USER")
                password = _needed(self._settings.kafka_password, "KAFKA_PASSWORD").get_secret_value()
                return SASLScram512(user, password, ssl_context=self._context)
            case "oauthbearer":
                return SASLOAuthBearer(ssl_context=self._context)
            case _:
                return BaseSecurity(ssl_context=self._context)

    @property
    def token_provider(self) -> AbstractTokenProvider | None:
        """What FastStream and aiokafka ask for a token, each time they connect."""
        if self._settings.kafka_security != "oauthbearer":
            return None
        return _TokenFile(_needed(self._settings.kafka_token_file, "KAFKA_TOKEN_FILE"))

    @property
    def options(self) -> dict[str, Any]:
        """For a client of aiokafka."""
        token = {} if (provider := self.token_provider) is None else {"sasl_oauth_token_provider": provider}
        return {**parse_security(self.frame), **token}

    def renew(self) -> None:
        """Take the files anew if they changed: connections that are made from now on show the new certificate.

        What cannot be read, as in the middle of being written, leaves everything as it was, and is tried again.
        """
        try:
            if self._files and self._stamps() != self._seen:
                self._load()
                _log.info("certificate renewed", principal=self.principal, expires=self.expires)
        except (OSError, ValueError) as error:
            _log.warning("the new certificate cannot be used", error=describe(error))

    def _load(self) -> None:
        if self._context is None:
            return
        stamps = self._stamps()
        ca_file, *own = self._files
        self._context.load_verify_locations(ca_file)
        for file in own:
            written = file.read_bytes()
            certificate = x509.load_pem_x509_certificate(written[written.index(_BEGIN) :])
            self._context.load_cert_chain(file)
            self.principal = principal_of(certificate)
            self.expires = certificate.not_valid_after_utc
        self._seen = stamps

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        # A file that is put in the place of another has another number, however quickly.
        return tuple((found.st_mtime_ns, found.st_ino) for found in (file.stat() for file in self._files))

    @property
    def is_expired(self) -> bool:
        """Whether the process's own certificate has expired."""
        return self.expires is not None and self.expires <= datetime.now(UTC)


def client_of(settings: KafkaSettings) -> dict[str, Any]:
    """Return what a client of aiokafka needs to come to Kafka: its address, and what it proves itself with."""
    return {"bootstrap_servers": settings.kafka_bootstrap_servers, **Security(settings).options}


def principal_of(certificate: x509.Certificate) -> str:
    """Return the name that Kafka gives the holder of a certificate: `<service>.<office>`."""
    kinds = (NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME)
    return ".".join(str(part.value) for kind in kinds for part in certificate.subject.get_attributes_for_oid(kind))


class _TokenFile(AbstractTokenProvider):  # type: ignore[misc] # aiokafka says nothing of its types
    def __init__(self, file: Path) -> None:
        self._file = file

    async def token(self) -> str:
        return self._file.read_text(encoding="ascii").strip()


def _needed(value: Value | None, name: str) -> Value:
    if value is None:
        raise ValueError(f"{name} is not set, and KAFKA_SECURITY needs it")
    return value
