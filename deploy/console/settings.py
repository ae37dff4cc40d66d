"""Settings of the console."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.web.sign_in import Provider


class Settings(BaseSettings):
    """What the console reads from the environment.

    Attributes:
        console_offices: the addresses of every process's API, as JSON: {"change_security": {"vantaa": "http://…"}}.
        console_zipkin: the trace store, `http://host:9411`; traces are not shown without it.
        console_host, console_port: where it listens.
        console_sign_in: the OpenID provider that signs operators in, as JSON (`deploy.web.sign_in.Provider`).
        console_secure_cookie: whether the session's cookie is sent over HTTPS alone.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    console_offices: dict[str, dict[str, str]]
    console_sign_in: Provider
    console_zipkin: str | None = None
    console_host: str = "127.0.0.1"
    console_port: int = Field(default=8080, ge=1)
    console_secure_cookie: bool = False
