"""What an advisory process is told from outside, beside what every process is told."""

from pydantic import Field

from shared.settings import ProcessSettings

SERVICE = "advisory"
SCHEMA = "advisory"


class Settings(ProcessSettings):
    """Settings of advisory.

    Attributes:
        open_limit: an officer has at most so many contacts that are not answered.
        acknowledge_hours: how long a hand-over waits for its acknowledgement before it is overdue.
        sweep_seconds: how often waiting contacts and overdue hand-overs are looked at.
        smtp_host, smtp_port: where the joint office takes e-mail; no port, no e-mail.
    """

    open_limit: int = Field(default=3, ge=1)
    acknowledge_hours: float = Field(default=24.0, gt=0)
    sweep_seconds: float = Field(default=30.0, gt=0)
    smtp_host: str = "127.0.0.1"
    smtp_port: int | None = None
