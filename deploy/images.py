"""Builds the image of each service and side, and lists what is in it: `python -m deploy.images`.

The images are named `employment-services/<service>-<side>:<version>`; the bill of materials of each (CycloneDX) is
written to dist/sbom. The same commit makes the same layers.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.local.stack import SERVICES

ROOT: Final = Path(__file__).parents[1]
SBOMS: Final = ROOT / "dist" / "sbom"
SIDES: Final = ("joint", "authority")


@dataclass(frozen=True)
class Image:
    """The image of one side of a service, or the console's.

    Attributes:
        service: the service's package, or `console`.
        side: `joint`, `authority` or `console`: which lock it is installed from.
    """

    service: str
    side: str

    @property
    def name(self) -> str:
        """The image's name without its tag."""
        name = self.service.replace("_", "-")
        return f"employment-services/{name if self.side == 'console' else f'{name}-{self.side}'}"

    @property
    def tag(self) -> str:
        """The image's name with the version."""
        return f"{self.name}:{version()}"

    @property
    def sbom(self) -> Path:
        """Where its bill of materials is written."""
        return SBOMS / f"{self.name.rpartition('/')[2]}.cdx.json"


IMAGES: Final = (*(Image(service, side) for service in SERVICES for side in SIDES), Image("console", "console"))


def version() -> str:
    """Return this software's version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def build(image: Image, options: list[str]) -> None:
    """Build one image with the engine.

    Raises:
        subprocess.CalledProcessError: the engine could not; it has said why.
    """
    revision = _git("rev-parse", "HEAD")
    seconds = int(_git("log", "-1", "--format=%ct"))
    arguments = {
        "SERVICE": image.service,
        "SIDE": image.side,
        "VERSION": version(),
        "REVISION": revision,
        "SOURCE_DATE_EPOCH": str(seconds),
        "CREATED": datetime.fromtimestamp(seconds, UTC).isoformat(),
    }
    command = ["docker", "build", "--file", "deploy/Dockerfile", "--tag", image.tag, *options]
    command += ["--target", "console" if image.side == "console" else "service"]
    for name, value in arguments.items():
        command += ["--build-arg", f"{name}={value}"]
    subprocess.run([*command, "."], cwd=ROOT, check=True)  # noqa: S603 - what it runs is fixed above


def write_sbom(image: Image) -> None:
    """Write an image's bill of materials from the lock that it is installed from."""
    SBOMS.mkdir(parents=True, exist_ok=True)
    subprocess.run(  # noqa: S603 - what it runs is fixed here
        [
            Path(sys.executable).with_name("cyclonedx-py"),
            *("requirements", f"deploy/requirements.{image.side}.lock", "--pyproject", "pyproject.toml"),
            *("--output-reproducible", "--mc-type", "application", "--output-file", image.sbom),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        check=True,
    )


def _git(*words: str) -> str:
    found = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603, S607
    return found.stdout.strip()


def main() -> None:
    """Build what is named, or everything."""
    parser = argparse.ArgumentParser(prog="python -m deploy.images", description=__doc__)
    parser.add_argument("names", nargs="*", help="images, as change-security-authority; all when none is named")
    parser.add_argument(
        "--option", action="append", default=[], help="passed on to docker build, as --option=--no-cache"
    )
    given = parser.parse_args()
    for image in IMAGES:
        if not given.names or image.name.rpartition("/")[2] in given.names:
            build(image, given.option)
            write_sbom(image)


if __name__ == "__main__":
    main()
