"""The local stack: real Kafka, Neo4j and the Java side of Beam's Kafka connector, on loopback, without containers."""
