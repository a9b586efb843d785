"""The parts of producer.py: reads or generates logs, sends them to Kafka, and reports the result."""
