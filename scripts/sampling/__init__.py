"""A realistic, seeded stream of several clusters: the sample of the demo, the tests and the benchmark."""
