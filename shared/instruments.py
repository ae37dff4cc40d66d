"""Every span attribute and metric, declared once with its meaning.

The span attributes are an allow-list: what is not named here is removed before export. Ids, offices and counts of
messages only; never an employer's name, a measure, a person or a body.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

MESSAGING_SYSTEM: Final = "messaging.system"
OPERATION_NAME: Final = "messaging.operation.name"
DESTINATION: Final = "messaging.destination.name"
PARTITION: Final = "messaging.destination.partition.id"
CONSUMER_GROUP: Final = "messaging.consumer.group.name"
OFFSET: Final = "messaging.kafka.offset"
MESSAGE_ID: Final = "messaging.message.id"
MESSAGE_COUNT: Final = "messaging.batch.message_count"
EVENT_TYPE: Final = "cloudevents.event_type"
SUBJECT: Final = "employment_services.subject"
OFFICE: Final = "employment_services.office"
ATTEMPT: Final = "employment_services.attempt"
ERROR_TYPE: Final = "error.type"

SPAN_ATTRIBUTES: Final = frozenset(
    {
        MESSAGING_SYSTEM,
        OPERATION_NAME,
        DESTINATION,
        PARTITION,
        CONSUMER_GROUP,
        OFFSET,
        MESSAGE_ID,
        MESSAGE_COUNT,
        EVENT_TYPE,
        SUBJECT,
        OFFICE,
        ATTEMPT,
        ERROR_TYPE,
        "exception.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        # The names that the HTTP instrumentation still uses for the same three.
        "http.method",
        "http.status_code",
    }
)

RECORDS = Counter(
    "messaging_records_total",
    "Records taken from Kafka, by what became of them: handled, duplicate, parked, held, ignored.",
    ["office", "service", "topic", "outcome"],
)
PARKED = Counter("messaging_parked_total", "Records parked, by reason code.", ["office", "service", "topic", "reason"])
ATTEMPTS_FAILED = Counter(
    "messaging_attempts_failed_total", "Handler attempts that failed and were tried again.", ["office", "service"]
)
BATCH_SECONDS = Histogram(
    "messaging_batch_seconds",
    "Seconds from a fetched batch to its committed transaction.",
    ["office", "service"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
SENT = Counter("messaging_sent_total", "Outbox rows acknowledged by Kafka.", ["office", "service", "topic"])
SEND_FAILED = Counter("messaging_send_failed_total", "Relay batches whose publishing failed.", ["office", "service"])
RELAY_LEADER = Gauge("messaging_relay_leader", "1 while this process leads its outbox.", ["office", "service"])
LAG_RECORDS = Gauge("messaging_lag_records", "Records not yet read.", ["office", "service", "topic"])
LAG_SECONDS = Gauge(
    "messaging_lag_seconds",
    "Age of the last record read, where there are more; 0 where there are none.",
    ["office", "service", "topic"],
)
OUTBOX_WAITING = Gauge("messaging_outbox_waiting", "Committed rows that Kafka has not yet.", ["office", "service"])
OUTBOX_SECONDS = Gauge("messaging_outbox_seconds", "Age of the oldest such row; 0 without one.", ["office", "service"])
PARKED_OPEN = Gauge("messaging_parked_open", "Records that wait for an operator.", ["office", "service"])
HEARTBEAT = Gauge(
    "messaging_heartbeat_timestamp_seconds",
    "When the last heartbeat on a topic was sent.",
    ["office", "service", "topic"],
)
LAST_RECORD = Gauge(
    "messaging_last_record_timestamp_seconds",
    "When the last record on a topic was sent.",
    ["office", "service", "topic"],
)
OFFICE_HOURS = Gauge(
    "messaging_office_hours", "1 on business days from 8 to 16, when silence on an inbound topic means something.", []
)
REFUSED = Counter("http_refused_total", "Requests refused, by problem type.", ["office", "service", "problem"])
