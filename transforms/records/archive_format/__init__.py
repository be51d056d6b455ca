"""The archive's files: the container, the schema of a record, paths, and runs of alike records."""
