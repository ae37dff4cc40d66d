"""The chart's values name every setting that a process reads."""

from importlib import import_module
from typing import Any

import pytest
import yaml

from deploy.local.stack import ROOT, SERVICES

VALUES: dict[str, Any] = yaml.safe_load((ROOT / "deploy/helm/office/values.yaml").read_text(encoding="utf-8"))
DERIVED = {
    "OFFICE",
    "JOINT_OFFICE",
    "CITY_OFFICES",
    "HTTP_HOST",
    "HTTP_PORT",
    "INSTANCE",
    "KAFKA_CA_FILE",
    "KAFKA_CERTIFICATE_FILE",
}
"""What the templates set themselves."""
OF_LIBRARIES = {"OTEL_EXPORTER_OTLP_ENDPOINT"}


def settings_class(service: str) -> Any:
    return import_module(f"services.{service}.settings").Settings


@pytest.mark.parametrize("service", SERVICES)
def test_the_values_have_every_setting_of_every_process_with_its_default(service: str) -> None:
    process = VALUES["services"][service.replace("_", "-")]
    assert process["package"] == service
    fields = {name.upper(): field for name, field in settings_class(service).model_fields.items()}
    common = VALUES["settings"].keys() - OF_LIBRARIES
    assert common | process["settings"].keys() | process["secrets"].keys() | DERIVED == fields.keys()
    for name, value in (VALUES["settings"] | process["settings"]).items():
        if name in fields and not fields[name].is_required():
            default = fields[name].get_default(call_default_factory=True)
            expected = default.strftime("%H:%M") if hasattr(default, "strftime") else default
            assert value == expected, name
