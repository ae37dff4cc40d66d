"""The metrics of this service, beside those that every process has."""

from typing import Final

from prometheus_client import Counter

OVERDUE: Final = Counter("ledger_overdue_total", "Receipts that became overdue, by what was awaited.", ["awaiting"])
