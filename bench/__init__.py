"""How fast the service is on this machine, against what Kafka's client and the engine could do at most."""
