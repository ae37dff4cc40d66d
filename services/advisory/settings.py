"""What an advisory process is told from outside, beside what every process is told."""

from pydantic import Field, SecretStr

from shared.calendar import OfficeHours
from shared.settings import ProcessSettings

SERVICE = "advisory"
SCHEMA = "advisory"


class Settings(ProcessSettings):
    """Settings of advisory.

    Attributes:
        open_limit: an officer has at most so many contacts that are not answered.
        acknowledge_hours: how many office hours a hand-over waits for its acknowledgement before it is overdue.
        always_open: every day and hour counts as office time: for a demonstration, or where somebody is on duty.
        sweep_seconds: how often waiting contacts and overdue hand-overs are looked at.
        smtp_host, smtp_port: where the joint office takes e-mail; no port, no e-mail.
        mail_host, mail_port, mail_starttls, mail_user, mail_password: the server that takes letters to employers and
            subscribers. Without a host, they stay queued and are shown as such.
        mail_from: the sender's address.
        public_url: where everyone reaches this office's API: the links in letters and feeds.
    """

    open_limit: int = Field(default=3, ge=1)
    acknowledge_hours: float = Field(default=8.0, gt=0)
    always_open: bool = False
    sweep_seconds: float = Field(default=30.0, gt=0)
    smtp_host: str = "127.0.0.1"
    smtp_port: int | None = None
    mail_host: str | None = None
    mail_port: int = 25
    mail_starttls: bool = True
    mail_user: str | None = None
    mail_password: SecretStr | None = None
    mail_from: str = "advice@example.org"
    public_url: str = "http://localhost:8080"

    @property
    def hours(self) -> OfficeHours:
        """When the offices work."""
        return OfficeHours(self.opens_at, self.closes_at, self.always_open)
