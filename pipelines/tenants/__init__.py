"""`python -m pipelines.tenants`: who is there, who is silent, and what is done about it."""
