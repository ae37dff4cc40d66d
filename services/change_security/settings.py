"""What a change security process is told from outside, beside what every process is told."""

import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from shared.settings import ProcessSettings

SERVICE = "change-security"
SCHEMA = "change_security"


class Settings(ProcessSettings):
    """Settings of change security.

    Attributes:
        smtp_host, smtp_port, smtp_starttls, smtp_user, smtp_password: the server that takes e-mail for authorities
            outside the region. Without a host, e-mail stays queued and is shown as such.
        mail_from: the sender's address.
        smtp_intake_host, smtp_intake_port: where the joint office takes the mail that comes back: reports of what was
            not delivered, and replies. No port, no intake; `mail_from` must lead here.
        public_url: the address of the joint office's API as authorities outside the region reach it. Without one there
            are no links in letters: they are confirmed by a reply, and nothing can be fetched.
        webhook_allow_loopback: whether webhooks may lead to this machine, in plain http: in development alone.
        webhook_timeout_seconds: how long a receiver of a webhook may take.
        sweep_seconds: how often overdue receipts are looked for.
        receiving_systems: systems on the topic that are a receiving authority's, as JSON: `ce_source` and the
            authority's code. The arrival that such a system states is the authority's own receipt; that of any other
            is kept as claimed.
    """

    smtp_host: str | None = None
    smtp_port: int = 25
    smtp_starttls: bool = True
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: str = "change-security@example.org"
    smtp_intake_host: str = "127.0.0.1"
    smtp_intake_port: int | None = None
    public_url: str | None = None
    webhook_allow_loopback: bool = False
    webhook_timeout_seconds: float = Field(default=10.0, gt=0)
    sweep_seconds: float = 30.0
    receiving_systems: Annotated[Mapping[str, str], NoDecode] = Field(default_factory=dict)

    @field_validator("receiving_systems", mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value
