"""Settings of a training process, beside those of every process."""

from pydantic import Field, SecretStr

from shared.settings import ProcessSettings

SERVICE = "training"
SCHEMA = "training"


class Settings(ProcessSettings):
    """Settings of training.

    Attributes:
        pool_key: the city's own secret, from which opaque references are made. Needed in a city, never shared.
        answer_hours: how long an applicant has to answer a seat offer; each 24 hours are a business day.
        sweep_seconds: how often unanswered seat offers are looked for, and changed places in the queues are told.
    """

    pool_key: SecretStr = SecretStr("")
    answer_hours: float = Field(default=72.0, gt=0)
    sweep_seconds: float = Field(default=30.0, gt=0)
