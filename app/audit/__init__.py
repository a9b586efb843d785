"""Checks that the table holds what was consumed from Kafka. Knows only ports; `backends/` implements them."""
