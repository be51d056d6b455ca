"""What a decoded body means for the graph, topic by topic."""
