"""The agent: what one cluster holds, from its API server into the topics."""
