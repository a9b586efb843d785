"""The service: logs from Kafka to ClickHouse, and what people ask of them."""
