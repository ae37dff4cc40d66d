"""What a machine lacks skips a test at a desk, and fails it in CI."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import needs


def missing_program() -> object:
    return needs.program("promtool")


@pytest.mark.parametrize("need", [missing_program, needs.national_classification])
@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_what_is_missing_skips_at_a_desk_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    need: Callable[[], object],
    ci: str,
    outcome: type[BaseException],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(needs.CLASSIFICATION, str(tmp_path / "nowhere.csv"))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"promtool|nowhere"):
        need()


def test_what_is_there_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "google-chrome").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(needs.CLASSIFICATION, str(tmp_path / "google-chrome"))
    assert needs.program("chromium") == str(tmp_path / "google-chrome")
    assert needs.national_classification() == tmp_path / "google-chrome"
