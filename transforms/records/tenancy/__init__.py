"""Whose a record is."""
