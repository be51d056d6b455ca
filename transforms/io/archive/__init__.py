"""The archive: Avro files by tenant, topic and hour, written by a process of their own."""
