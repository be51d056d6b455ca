"""Reads the graph for people."""
