"""Dead letters: written to their topic or to files, read back, and indexed."""
