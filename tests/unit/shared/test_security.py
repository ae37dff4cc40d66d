"""What each way of proving oneself to Kafka gives to the clients."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from deploy.certificates import Authority
from shared.messaging.security import Security
from shared.settings import KafkaSettings


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    files = Authority(tmp_path).issue("change-security.vantaa")
    return {
        "kafka_bootstrap_servers": "nowhere",
        "kafka_ca_file": files.ca,
        "kafka_certificate_file": files.own,
        "kafka_user": "change-security.vantaa",
        "kafka_password": "a secret",
        "kafka_token_file": tmp_path / "token",
    }


def test_a_certificate_names_the_principal(settings: dict[str, Any]) -> None:
    security = Security(KafkaSettings(**settings))
    assert security.principal == "change-security.vantaa"
    assert security.options["security_protocol"] == "SSL"
    assert security.options["ssl_context"].minimum_version is ssl.TLSVersion.TLSv1_3
    assert security.options["ssl_context"].verify_mode is ssl.CERT_REQUIRED


def test_scram_is_the_strong_one_and_never_without_tls(settings: dict[str, Any]) -> None:
    options = Security(KafkaSettings(**settings, kafka_security="scram")).options
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("change-security.vantaa", "a secret")
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED


async def test_a_token_is_read_anew_for_each_connection(settings: dict[str, Any]) -> None:
    options = Security(KafkaSettings(**settings, kafka_security="oauthbearer")).options
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_SSL", "OAUTHBEARER")
    for token in ("first", "second"):
        settings["kafka_token_file"].write_text(f"{token}\n")
        assert await options["sasl_oauth_token_provider"].token() == token


@pytest.mark.parametrize(
    ("way", "setting"),
    [("mtls", "kafka_certificate_file"), ("scram", "kafka_password"), ("oauthbearer", "kafka_token_file")],
)
def test_what_a_way_needs_and_has_not_is_named(settings: dict[str, Any], way: Any, setting: str) -> None:
    with pytest.raises(ValueError, match=setting.upper()):
        _ = Security(KafkaSettings(**(settings | {setting: None}), kafka_security=way)).options


def test_a_private_key_is_its_owners_alone(settings: dict[str, Any]) -> None:
    assert settings["kafka_certificate_file"].stat().st_mode & 0o077 == 0
