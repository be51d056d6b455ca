"""What comes in: Kafka records, envelopes, tenants, rejects, and one codec per topic."""
