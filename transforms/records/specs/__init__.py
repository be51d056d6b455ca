"""What is taken from the `spec` of each kind."""
