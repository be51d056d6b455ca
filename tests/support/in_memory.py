"""What the same records must come to, without Kafka, Beam and Neo4j: computed as the fault suite does."""

from scripts.sampling.in_memory import expected_digests, played

__all__ = ["expected_digests", "played"]
