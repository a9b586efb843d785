"""The shipped delivery code between a simulated Kafka and a simulated ClickHouse, under every fault, by seed."""
