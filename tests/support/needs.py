"""What tests need and a machine may lack: locally such a test is skipped, with a reason; with `CI` set it fails."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import docker
import pytest

from deploy.local.containers import engine_answers

ROOT = Path(__file__).parents[2]
CLASSIFICATION = "NATIONAL_CLASSIFICATION"
"""The environment variable that names the file of municipalities and authorities of the whole country."""

_DEBIAN = {"chromium": "chromium", "promtool": "prometheus", "curl": "curl", "java": "openjdk-17-jdk-headless"}
_OTHERS = {
    "spectral": "npm install --global @stoplight/spectral-cli@6.16.3",
    "helm": "go install helm.sh/helm/v3/cmd/helm@v3.22.0",
    "kube-score": "go install github.com/zegl/kube-score/cmd/kube-score@v1.20.0",
}
_ALSO_CALLED: dict[str, tuple[str, ...]] = {"chromium": ("chromium-browser", "google-chrome")}


def program(name: str) -> str:
    """Return a program's path; skip the test that needs it where it is missing, or fail it with `CI` set."""
    found = [path for called in (name, *_ALSO_CALLED.get(name, ())) if (path := shutil.which(called))]
    if found:
        return found[0]
    return _missing(f"{name} is not installed ({_OTHERS.get(name) or f'Debian: apt-get install {_DEBIAN[name]}'})")


def national_classification() -> Path:
    """Return the file of the whole country's municipalities and authorities, from the folder beside the checkout.

    Where it is missing, the test that needs it is skipped, or fails with `CI` set.
    """
    place = Path(os.environ.get(CLASSIFICATION) or ROOT.parent / "shared/data/authorities.csv")
    if not place.exists():
        _missing(f"the national classification is not at {place}: set {CLASSIFICATION} to where it is")
    return place


def engine() -> None:
    """Skip the test where no Docker engine answers, or fail it with `CI_NEEDS_ENGINE` set: not every CI has one."""
    if not engine_answers():
        what = "no Docker engine answers: start it, or set DOCKER_HOST"
        if os.environ.get("CI_NEEDS_ENGINE"):
            pytest.fail(what)
        pytest.skip(what)


def images(tags: Iterable[str]) -> None:
    """Skip the test where an image has not been built, or fail it with `CI_NEEDS_ENGINE` set."""
    engine()
    client = docker.from_env()
    built = {tag for image in client.images.list() for tag in image.tags}
    client.close()
    if lacking := sorted(set(tags) - built):
        what = f"not built (make images): {', '.join(lacking)}"
        if os.environ.get("CI_NEEDS_ENGINE"):
            pytest.fail(what)
        pytest.skip(what)


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
