"""What a supervisor sees of a run: metrics, health, and what cannot be read."""
