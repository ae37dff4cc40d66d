"""How a process proves itself to Kafka, and Kafka to it."""

from faststream.security import BaseSecurity

from shared.settings import ProcessSettings


def security_of(_: ProcessSettings) -> BaseSecurity:
    """Return what every connection to Kafka is secured with: nothing yet, Kafka stands on a closed network.

    SASL and TLS go here: `SASLScram512(settings.kafka_user, …, ssl_context=…)`.
    """
    return BaseSecurity(use_ssl=False)
