"""The Helm chart of an office: what it makes is valid, closed, and what the processes read."""

import subprocess
from functools import cache
from importlib import import_module
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.local.stack import JOINT, OFFICES, ROOT, SERVICES
from tests.support import needs

CHART = ROOT / "deploy/helm/office"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
CUSTOM = {"ScaledObject", "ServiceMonitor", "PrometheusRule"}
"""Kinds that Kubernetes itself does not have."""


def settings_class(service: str) -> Any:
    return import_module(f"services.{service}.settings").Settings


@cache
def rendered(office: str) -> list[dict[str, Any]]:
    """What the chart makes for an office."""
    values = ROOT / f"deploy/helm/offices/{office}.yaml"
    command = [needs.program("helm"), "template", "release", str(CHART), "--values", str(values)]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    return [one for one in yaml.safe_load_all(made.stdout) if one]


def of_kind(office: str, kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in rendered(office) if one["kind"] == kind}


def container(workload: dict[str, Any]) -> dict[str, Any]:
    (found,) = workload["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("office", OFFICES)
def test_what_the_chart_makes_is_valid(office: str) -> None:
    made = rendered(office)
    assert {one["kind"] for one in made} >= CUSTOM
    for one in made:
        if one["kind"] not in CUSTOM:
            kubernetes_validate.validate(one, "1.37", strict=True)


def test_what_kubernetes_does_not_know_is_noticed() -> None:
    deployment = dict(next(iter(of_kind("vantaa", "Deployment").values())))
    deployment["spec"] = deployment["spec"] | {"replica": 2}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, "1.37", strict=True)


@pytest.mark.parametrize("office", OFFICES)
def test_the_processes_can_read_what_the_chart_sets(office: str) -> None:
    maps, deployments = of_kind(office, "ConfigMap"), of_kind(office, "Deployment")
    assert len(deployments) == len(SERVICES)
    for service in SERVICES:
        name = f"{service.replace('_', '-')}-{office}"
        process = container(deployments[name])
        assert process["envFrom"] == [{"configMapRef": {"name": name}}]
        secrets = {one["name"]: "a-secret" for one in process["env"]}
        assert all("secretKeyRef" in one["valueFrom"] or one["name"] == "INSTANCE" for one in process["env"])
        assert {"DATABASE_URL", "INSTANCE"} <= secrets.keys()
        given = maps[name]["data"] | secrets
        settings = settings_class(service)(**{key.lower(): value for key, value in given.items()})
        assert (settings.office, settings.is_joint) == (office, office == JOINT)
        assert not [key for key in maps[name]["data"] if "PASSWORD" in key or "KEY" in key or key == "DATABASE_URL"]


@pytest.mark.parametrize("office", OFFICES)
def test_every_container_is_closed_and_of_the_offices_own_side(office: str) -> None:
    side = "joint" if office == JOINT else "authority"
    workloads = of_kind(office, "Deployment") | of_kind(office, "Job")
    assert len(workloads) == 2 * len(SERVICES)
    for workload in workloads.values():
        pod, process = workload["spec"]["template"]["spec"], container(workload)
        assert pod["automountServiceAccountToken"] is False
        assert process["securityContext"]["readOnlyRootFilesystem"] is True
        assert process["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert process["image"].startswith(f"registry.{office}.example/employment-services/")
        assert process["image"].partition(":")[0].endswith(f"-{side}")
        assert set(process["resources"]) == {"requests", "limits"}


def test_probes_ask_what_a_process_answers() -> None:
    health = (ROOT / "shared/health.py").read_text(encoding="utf-8")
    for deployment in of_kind("vantaa", "Deployment").values():
        for probe in ("liveness", "readiness", "startup"):
            assert f'"{container(deployment)[f"{probe}Probe"]["httpGet"]["path"]}"' in health


def test_an_office_runs_its_own_version() -> None:
    values = ROOT / "deploy/helm/offices/vantaa.yaml"
    command = [needs.program("helm"), "template", "release", str(CHART), "--values", str(values)]
    made = subprocess.run([*command, "--set", "image.tag=0.0.9"], capture_output=True, text=True, check=True)
    images = {container(one)["image"] for one in yaml.safe_load_all(made.stdout) if one and one["kind"] == "Deployment"}
    assert {image.rpartition(":")[2] for image in images} == {"0.0.9"}


@pytest.mark.parametrize("office", OFFICES)
def test_a_process_may_reach_its_own_database_kafka_the_issuer_the_collector_and_nothing_else(office: str) -> None:
    policies = of_kind(office, "NetworkPolicy")
    values = yaml.safe_load((ROOT / f"deploy/helm/offices/{office}.yaml").read_text(encoding="utf-8"))["network"]
    places = ["database", "kafka", "issuer", "collector", *(["mail"] if office == JOINT else [])]
    for service in SERVICES:
        name = f"{service.replace('_', '-')}-{office}"
        policy = policies[name]["spec"]
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        (names, *others) = policy["egress"]
        assert {port["port"] for port in names["ports"]} == {53}
        assert [(rule["to"], rule["ports"][0]["port"]) for rule in others] == [
            (values[place]["peers"], values[place]["port"]) for place in places
        ]
        selected = policy["podSelector"]["matchLabels"].items()
        assert selected <= of_kind(office, "Deployment")[name]["spec"]["template"]["metadata"]["labels"].items()
        database = policies[f"{service.replace('_', '-')}-migrate-{office}"]["spec"]
        assert [rule["to"] for rule in database["egress"][1:]] == [values["database"]["peers"]]
        assert "ingress" not in database
    assert values["database"]["peers"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] == (
        f"{office}-database"
    )


def test_replicas_follow_the_lag_of_the_processs_own_consumer_group() -> None:
    for name, scaled in of_kind("vantaa", "ScaledObject").items():
        (trigger,) = scaled["spec"]["triggers"]
        assert scaled["spec"]["scaleTargetRef"] == {"name": name}
        assert "replicas" not in of_kind("vantaa", "Deployment")[name]["spec"]
        assert trigger["metadata"]["consumerGroup"] == f"{name.removesuffix('-vantaa')}.vantaa"
        assert scaled["spec"]["maxReplicaCount"] <= 4, "more than partitions have nothing to do"


def test_the_alert_rules_are_those_of_the_repository_and_the_monitor_finds_every_service() -> None:
    (rule,) = of_kind("vantaa", "PrometheusRule").values()
    assert rule["spec"] == yaml.safe_load((ROOT / "deploy/alerts/rules.yml").read_text(encoding="utf-8"))
    (monitor,) = of_kind("vantaa", "ServiceMonitor").values()
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    services = of_kind("vantaa", "Service").values()
    assert len(services) == len(SERVICES)
    assert all(wanted <= one["metadata"]["labels"].items() for one in services)


@pytest.mark.parametrize("office", [JOINT, "vantaa"])
def test_kube_score_finds_nothing_critical(office: str) -> None:
    command = [needs.program("kube-score"), "score", "-", "--output-format", "ci"]
    text = yaml.safe_dump_all(rendered(office))
    found = subprocess.run(command, input=text, capture_output=True, text=True, check=False).stdout
    assert "[OK]" in found
    assert [line for line in found.splitlines() if line.startswith("[CRITICAL]")] == []
