"""KafkaConsumer, KafkaProducer and the admin client behind our ports."""
