"""The documents say what the code says."""

from pathlib import Path
from typing import Any

from deploy.console.catalogue import event_type
from shared.events.registry import REGISTRY
from shared.topics import TOPICS, Party

ROOT = Path(__file__).parents[2]


def test_the_message_flows_name_every_topic_and_every_type() -> None:
    flows = (ROOT / "docs/message-flows.md").read_text(encoding="utf-8")
    assert [topic.name for topic in TOPICS if f"`{topic.name}`" not in flows] == []
    assert [name for name in REGISTRY if f"`{name}`" not in flows] == []


def test_the_message_flows_say_who_writes_and_who_reads_as_the_table_does() -> None:
    flows = (ROOT / "docs/message-flows.md").read_text(encoding="utf-8")
    said = {}
    for line in flows.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`"):
            said[cells[0].split("`")[1]] = (cells[1], cells[2])
    assert said == {topic.name: (_words(topic.writes), _words(topic.reads)) for topic in TOPICS}


def _words(party: Party) -> str:
    return str(party).replace("change_security", "change security")


def test_the_readmes_name_no_file_that_is_not_there() -> None:
    import re

    for readme in [ROOT / "README.md", *ROOT.glob("services/*/README.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", readme.read_text(encoding="utf-8")):
            assert (readme.parent / target).exists(), f"{readme}: {target}"


def test_the_catalogue_has_every_type_with_every_field_and_an_example() -> None:
    def properties(schema: dict[str, Any]) -> set[str]:
        inner = [one for part in schema.get("$defs", {}).values() for one in properties(part)]
        return {*schema.get("properties", {}), *inner}

    for name in REGISTRY:
        found = event_type(name)
        assert found is not None
        assert found.examples
        assert found.topics
        shown = {part for one in found.fields for part in one.path.replace("[]", "").split(".")}
        assert properties(found.schema) - shown == set(), name
    assert event_type("none.such.v1") is None


def test_the_runbook_names_every_parking_code_of_the_kernel() -> None:
    import re

    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    sources = [*ROOT.glob("shared/**/*.py"), *ROOT.glob("services/**/*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    codes = set(re.findall(r'Rejection\(\s*"([a-z-]+)"', code)) | set(
        re.findall(r'UnprocessableError\(\s*"[^"]+",\s*"([a-z-]+)"', code)
    )
    assert len(codes) > 8
    assert [one for one in sorted(codes - {"held-back", "unprocessable"}) if f"`{one}`" not in runbook] == []
