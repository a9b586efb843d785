"""Listens for syslog over TCP, TLS and UDP, and sends what it reads to Kafka, as fast as Kafka takes it."""
