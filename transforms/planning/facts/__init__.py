"""Mutations, what is stored, and what a batch changes: the words in which planning is done."""
