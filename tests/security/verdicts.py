"""What the security tests found, for SECURITY-TESTS.md: written from their verdicts alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass
class Verdicts:
    """What was tried, how often, and what was wrong."""

    rows: list[tuple[str, int, list[str]]] = field(default_factory=list)

    def add(self, what: str, count: int, wrong: Iterable[str]) -> None:
        """Add what a test tried, `count` times, and what was not as it must be."""
        self.rows.append((what, count, sorted(wrong)))

    def write(self, path: Path, outcomes: Iterable[tuple[str, str]]) -> None:
        """Write the report: counts, and the outcome of each test."""
        lines = [
            "# Security tests",
            "",
            f"Written by `make security` on {datetime.now(UTC).date()} from its verdicts.",
            "",
            "| what was tried on a real broker | tries | wrong |",
            "|---|---|---|",
            *(f"| {what} | {count} | {len(wrong)} |" for what, count, wrong in self.rows),
            *(f"- wrong: {one}" for _, __, wrong in self.rows for one in wrong),
            "",
            "| test | outcome |",
            "|---|---|",
            *(f"| {name} | {outcome} |" for name, outcome in sorted(outcomes)),
        ]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
