"""The only importers of the Kafka and ClickHouse clients."""
