"""`python -m pipelines.deadletters`: which records were rejected and why, and all of them again."""
