"""What in a migration the version before cannot work with: both versions run on one schema while an office upgrades.

A schema first grows (expand): new tables, and columns that may be missing. A later version, when nothing uses the old
shape any more, takes it away (contract), and its migration says so: `CONTRACTS = "<version>"`, the first version whose
processes do not use what is taken away.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_TABLE: Final = r'(?:IF (?:NOT )?EXISTS )?(?:ONLY )?"?(\w+)"?'
_FORBIDDEN: Final = (
    (r"\bDROP COLUMN (?:IF EXISTS )?(\w+)", "drops column {}"),
    (r"\bRENAME COLUMN (\w+)", "renames column {}"),
    (r"\bRENAME TO (\w+)", "renames the table to {}"),
    (r"\bALTER (?:COLUMN )?(\w+) (?:SET DATA )?TYPE\b", "changes the type of column {}"),
    (r"\bALTER (?:COLUMN )?(\w+) SET NOT NULL", "makes column {} needed"),
    (r"\bALTER (?:COLUMN )?(\w+) DROP DEFAULT", "takes the default from column {}"),
    (r"\bADD (CONSTRAINT \w+|CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY)", "adds {}"),
)


def contracting(statements: Iterable[str]) -> list[str]:
    """Return what the statements of one migration take from the version before, a line each; empty if nothing.

    A table that the migration itself creates is unknown to the version before: anything may be done to it.
    """
    texts = [" ".join(statement.split()) for statement in statements]
    new = {found[1] for text in texts if (found := re.match(rf"CREATE TABLE {_TABLE}", text, re.IGNORECASE))}
    return [f"{table}: {what}" for text in texts for table, what in _findings(text) if table not in new]


def _findings(text: str) -> Iterator[tuple[str, str]]:
    if found := re.match(rf"DROP TABLE {_TABLE}", text, re.IGNORECASE):
        yield found[1], "drops the table"
    if found := re.match(rf"CREATE UNIQUE INDEX \w+ ON {_TABLE}", text, re.IGNORECASE):
        yield found[1], "adds a unique index"
    if not (found := re.match(rf"ALTER TABLE {_TABLE} (.*)", text, re.IGNORECASE)):
        return
    table, actions = found[1], found[2]
    for pattern, what in _FORBIDDEN:
        yield from ((table, what.format(one)) for one in re.findall(pattern, actions, re.IGNORECASE))
    for action in re.split(r", (?=ADD |ALTER |DROP |RENAME )", actions, flags=re.IGNORECASE):
        added = re.match(r"ADD COLUMN (?:IF NOT EXISTS )?(\w+) (.*)", action, re.IGNORECASE)
        if added and _must_be_there(added[2]):
            yield table, f"adds column {added[1]} that may not be missing, without a default"
        if added and re.search(r"\bUNIQUE\b", added[2], re.IGNORECASE):
            yield table, f"adds column {added[1]} that is unique"


def _must_be_there(column: str) -> bool:
    needed = re.search(r"\bNOT NULL\b|\bPRIMARY KEY\b", column, re.IGNORECASE)
    return bool(needed) and not re.search(r"\bDEFAULT\b|\bGENERATED\b", column, re.IGNORECASE)
