"""What a change security process is told from outside, beside what every process is told."""

from collections.abc import Mapping

from pydantic import Field, SecretStr

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
    receiving_systems: Mapping[str, str] = Field(default_factory=dict)
