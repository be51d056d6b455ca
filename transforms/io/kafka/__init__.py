"""Kafka: what it holds, what a group has read of it, exact ranges, single records, and the registry of its schemas."""
