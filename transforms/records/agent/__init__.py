"""The records that the agent writes: the same keys and shapes that the job reads, defined once for both sides."""
