"""What producer.py is made of: it reads or invents logs, sends them to Kafka, and tells how that went."""
