"""The only place that opens a connection: Kafka, Neo4j, dead letters."""
