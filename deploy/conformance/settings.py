"""Settings of the conformance kit."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What the kit reads from the environment.

    Attributes:
        conformance_token: the token of an officer and operator of the city whose consumer is tried.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    conformance_token: str
