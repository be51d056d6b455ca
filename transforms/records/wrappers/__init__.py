"""What a value may be wrapped in: Avro, CloudEvents, watch records."""
