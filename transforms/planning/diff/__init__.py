"""What differs between two graphs of one tenant."""
