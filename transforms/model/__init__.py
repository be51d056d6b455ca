"""The graph, declared once: kinds, node labels, keys, relationships, limits."""
