"""From Kafka record to ClickHouse row. Knows ports, never clients."""
