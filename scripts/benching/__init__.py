"""The benchmark: the job against the raw clients, in one run on one stack."""
