"""What people see of the graph, decided without I/O: pictures, positions, what depends on what."""
