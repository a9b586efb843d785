"""Whether the table holds what Kafka gave: facts in, verdict out. Knows ports; `backends/` gathers the facts."""
