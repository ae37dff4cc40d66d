"""The reliable part: consumer, inbox, outbox, relay, parking.

At least once on the wire, exactly once in effect in every store; no reliance on Kafka transactions.
"""
