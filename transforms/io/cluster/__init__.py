"""A Kubernetes API server: where it is, its lists and watches, and the lease of the agent."""
