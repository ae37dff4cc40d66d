"""Settings of a city's desk."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.web.sign_in import Provider


class Settings(BaseSettings):
    """What the desk reads from the environment.

    Attributes:
        desk_office: whose officers work here.
        desk_services: the addresses of that office's own APIs, as JSON: {"change_security": "http://…"}.
        desk_sign_in: the OpenID provider that signs officers in, as JSON (`deploy.web.sign_in.Provider`).
        desk_host, desk_port: where it listens.
        desk_secure_cookie: whether the session's cookie is sent over HTTPS alone.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    desk_office: str
    desk_services: dict[str, str]
    desk_sign_in: Provider
    desk_host: str = "127.0.0.1"
    desk_port: int = Field(default=8081, ge=1)
    desk_secure_cookie: bool = False
