"""A run of the main job: its settings, its resources, and the flow on a cluster."""
