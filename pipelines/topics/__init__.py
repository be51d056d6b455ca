"""`python -m pipelines.topics`: the topics that the job reads and writes, made as it needs them."""
