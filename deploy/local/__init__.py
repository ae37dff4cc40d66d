"""The whole suite on one machine without Docker: Kafka and Zipkin on the JVM, PostgreSQL from a wheel."""
