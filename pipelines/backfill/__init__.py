"""`python -m pipelines.backfill`: records of a span of time once more through the job's own flow."""
