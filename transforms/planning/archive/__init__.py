"""What the archive keeps of a record."""
