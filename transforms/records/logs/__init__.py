"""Lines of container logs: their shapes, their level, and which of them tell of a failure."""
