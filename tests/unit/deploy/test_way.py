"""How the stack comes to its servers: what is wished, else embedded where it can be, else containers."""

from collections.abc import Callable

import pytest

from deploy.local.processes import StartError
from deploy.local.stack import Way, choose

JAVA_AND_MAVEN = {"java": "/usr/bin/java", "mvn": "/usr/bin/mvn"}


def engine(*, answers: bool) -> Callable[[], bool]:
    return lambda: answers


def unasked() -> bool:
    raise AssertionError("the engine was asked without need")


@pytest.mark.parametrize("wish", [None, "", "embedded"])
def test_servers_are_embedded_where_java_and_maven_are_and_no_engine_is_asked(wish: str | None) -> None:
    assert choose(wish, JAVA_AND_MAVEN.get, unasked) is Way.EMBEDDED


@pytest.mark.parametrize("missing", ["java", "mvn"])
def test_without_java_or_maven_an_engine_that_answers_is_used(missing: str) -> None:
    programs = {name: path for name, path in JAVA_AND_MAVEN.items() if name != missing}
    assert choose(None, programs.get, engine(answers=True)) is Way.CONTAINERS
    assert choose(None, programs.get, engine(answers=False)) is Way.EMBEDDED


def test_containers_are_used_where_they_are_wished_whatever_else_is_there() -> None:
    assert choose("containers", JAVA_AND_MAVEN.get, engine(answers=True)) is Way.CONTAINERS
    with pytest.raises(StartError, match="none answers"):
        choose("containers", JAVA_AND_MAVEN.get, engine(answers=False))


def test_embedded_servers_are_never_replaced_where_they_are_wished() -> None:
    assert choose("embedded", lambda _: None, engine(answers=True)) is Way.EMBEDDED


def test_an_unknown_wish_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StartError, match="use embedded or containers"):
        choose("podman", JAVA_AND_MAVEN.get, unasked)
