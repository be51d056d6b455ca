"""Secrets taken out of texts, URLs and trees of JSON."""
