"""The console: pages over the graph, for people; it reads and never writes."""
