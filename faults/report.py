"""Writes RELIABILITY.md: each run replaces its own section, and leaves the other as it was."""

from pathlib import Path

PAGE = Path(__file__).parents[1] / "RELIABILITY.md"
CAMPAIGN = "The campaign"
MUTATIONS = "Mutation testing of the checker"
_ORDER = (CAMPAIGN, MUTATIONS)


def write(title: str, lines: list[str]) -> None:
    """Write a section.

    Raises:
        ValueError: the page has no such section.
    """
    if title not in _ORDER:
        message = f"no section {title}"
        raise ValueError(message)
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:] if PAGE.exists() else []
    sections = {heading: body.strip() for heading, _, body in (part.partition("\n") for part in parts)}
    sections[title] = "\n".join(lines).strip()
    written = [f"## {name}\n\n{sections[name]}" for name in _ORDER if name in sections]
    text = "\n\n".join(["# Reliability", "Written by `make faults`; not by hand.", *written])
    PAGE.write_text(f"{text}\n", encoding="utf-8")
