"""`python -m pipelines.doctor`: whether the job could run here, and well."""
