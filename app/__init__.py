"""The service: loads logs from Kafka into ClickHouse and runs queries over them."""
