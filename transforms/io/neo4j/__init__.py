"""Neo4j: the store that a tenant's graph is written to and read from, within its lock."""
