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
    sweep_seconds: float = 30.0
    receiving_systems: Annotated[Mapping[str, str], NoDecode] = Field(default_factory=dict)

    @field_validator("receiving_systems", mode="before")
    @classmethod
    def _read(cls, value: object) -> object:
        return json.loads(value) if isinstance(value, str) else value
