"""The metrics of this service, beside those that every process has."""

from typing import Final

from prometheus_client import Counter

OVERDUE: Final = Counter("ledger_overdue_total", "Receipts that became overdue, by what was awaited.", ["awaiting"])

WEBHOOK_ATTEMPTS: Final = Counter(
    "webhook_attempts_total", "Attempts to deliver a receipt to a webhook, by what became of the message.", ["state"]
)
MAIL_READ: Final = Counter(
    "mail_read_total", "Mail that came back, by what it was: bounce, receipt, ignored, refused.", ["what"]
)
