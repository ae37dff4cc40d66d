"""What a placement process is told from outside, beside what every process is told."""

from pydantic import SecretStr

from shared.settings import ProcessSettings

SERVICE = "placement"
SCHEMA = "placement"


class Settings(ProcessSettings):
    """Settings of placement.

    Attributes:
        pool_key: the city's own secret, from which opaque references are made. Needed in a city, never shared.
        answer_seconds: how long the pools have to answer a recruitment assignment, if it does not say.
        supply_days: how long workers count as expected supply after their first day, if no last day is known.
        sweep_seconds: how often expired vacancies and job offers are looked for.
    """

    pool_key: SecretStr = SecretStr("")
    answer_seconds: float = 5.0
    supply_days: int = 90
    sweep_seconds: float = 30.0

    @property
    def reference_key(self) -> bytes:
        """The city's own secret, as opaque references are made from it.

        Raises:
            ValueError: there is none: the city's references could then be linked to persons.
        """
        key = self.pool_key.get_secret_value().encode()
        if not key:
            message = "POOL_KEY is missing: a city needs its own secret for opaque references"
            raise ValueError(message)
        return key
