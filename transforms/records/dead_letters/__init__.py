"""What a dead letter holds, on its topic and in files."""
