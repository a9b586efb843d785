"""Measures how fast the service is on this machine, compared with the limits of Kafka's client and of the engine."""
