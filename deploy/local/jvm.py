"""What runs on the JVM: finds Java and Maven, and has Maven resolve the jars that `pom.xml` names."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import platformdirs

from deploy.local.processes import StartError

_POM = Path(__file__).with_name("pom.xml")
_OLDEST_JAVA = 17
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Options for a program that lives for minutes: the quick compiler alone, and the collector with the fewest threads."""

_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"


def java() -> str:
    """Return the path of a Java runtime that is new enough.

    Raises:
        StartError: there is none.
    """
    found = shutil.which("java")
    if found is None:
        message = (
            f"Java is missing: install a JDK {_OLDEST_JAVA} or newer (Debian: apt-get install openjdk-17-jdk-headless)"
        )
        raise StartError(message)
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        message = f"Java at {found} is older than {_OLDEST_JAVA}: install a JDK {_OLDEST_JAVA} or newer"
        raise StartError(message)
    return found


def classpath(profile: str) -> str:
    """Return the class path of a profile of `pom.xml`, resolving it with Maven the first time.

    Raises:
        StartError: Maven is missing, or cannot resolve it.
    """
    cache = Path(platformdirs.user_cache_dir("employment-services", ensure_exists=True))
    known = cache / f"{profile}-{hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]}.classpath"
    if known.exists():
        path = known.read_text()
        if all(Path(jar).exists() for jar in path.split(":")):
            return path
    maven = shutil.which("mvn")
    if maven is None:
        message = "Maven is missing: install it (Debian: apt-get install maven)"
        raise StartError(message)
    result = subprocess.run(  # noqa: S603 - our own command
        [maven, "-B", "-q", "-f", str(_POM), "-P", profile, _GOAL, f"-Dmdep.outputFile={known}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        message = f"Maven could not resolve the {profile} jars:\n{result.stdout[-2000:]}"
        raise StartError(message)
    return known.read_text()
