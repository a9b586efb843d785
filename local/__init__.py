"""The whole stack on one machine without containers: Kafka, ClickHouse's engine, the service, sample logs."""
