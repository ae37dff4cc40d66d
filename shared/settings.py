"""What every process is told from outside. The environment is read here and in each service's settings only."""

from datetime import time
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class ProcessSettings(BaseSettings):
    """Settings that a process (service, office) needs whatever its service.

    Attributes:
        office: the office this process works for; it names the consumer group and the topics addressed to it.
        joint_office: the office that performs the joint side; a process of this office runs the joint handlers.
        city_offices: the offices that the joint side exchanges messages with.
        opens_at, closes_at: office hours on business days, local time.
        database_url: the office's own PostgreSQL database, `postgresql://…`. No process opens another office's.
        database_timeout_seconds: how long the database may take to answer one statement; then it counts as away. A
            network
            that falls silent closes no connection, and without a limit would be waited for without end.
        kafka_bootstrap_servers: `host:port`, comma separated.
        instance: names this process among those of the same service and office, for Kafka: each has a name of its own,
            and the same one when it is started again. With one process there is nothing to set.
        session_timeout_seconds: a process that Kafka has not heard from for so long has lost its partitions to the
            others of its service and office. One that is started again under its name has them at once.
        http_host, http_port: where the HTTP API listens.
        jwks_url: where the public keys of the token issuer are published.
        token_issuer, token_audience: the `iss` and `aud` that a bearer token must carry.
        otel_traces_exporter: `otlp`, `zipkin` or `none`; the exporters read their own standard variables.
        max_attempts: how often a record is tried before it is parked.
        retry_delay_seconds: the first pause between attempts; doubled each time, at most 5 s.
        parking_limit: with more open parked records than this the consumer stops reading and says so.
        batch_size: at most so many records share one database transaction.
        heartbeat_seconds: how often a heartbeat is sent on each topic this process writes; 0 sends none.
        archive_days: sent outbox rows, the inbox and first answers are kept this long: longer than any topic keeps
            records (`shared.topics`), so that what a topic still has is known, and what it lost can be sent again.
        log_level: the lowest level that is written.
    """

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    office: str
    joint_office: str
    city_offices: Annotated[tuple[str, ...], NoDecode] = ()
    opens_at: time = time(8)
    closes_at: time = time(16)
    database_url: SecretStr
    database_timeout_seconds: float = Field(default=60.0, gt=0)
    kafka_bootstrap_servers: str
    instance: str = Field(default="0", pattern=r"^[A-Za-z0-9._-]{1,100}$")
    session_timeout_seconds: float = Field(default=10.0, ge=6.0)
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    jwks_url: str
    token_issuer: str
    token_audience: str = "employment-services"  # noqa: S105 - a name
    otel_traces_exporter: Literal["otlp", "zipkin", "none"] = "none"
    max_attempts: int = Field(default=5, ge=1)
    retry_delay_seconds: float = Field(default=0.1, ge=0)
    parking_limit: int = Field(default=10_000, ge=1)
    batch_size: int = Field(default=500, ge=1)
    heartbeat_seconds: float = Field(default=30.0, ge=0)
    archive_days: int = Field(default=120, ge=1)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("city_offices", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(name for name in (part.strip() for part in value.split(",")) if name)

    @property
    def authorities(self) -> frozenset[str]:
        """The authorities whose officers work at this office; offices are named after their authorities."""
        return frozenset(self.city_offices) if self.is_joint else frozenset({self.office})

    @property
    def is_joint(self) -> bool:
        """Whether this process performs the joint side."""
        return self.office == self.joint_office
