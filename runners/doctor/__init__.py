"""Whether the job could run here, and well: judgements on what Kafka, Neo4j, the Java side and this machine tell."""
