"""`python -m pipelines`: the same as `graph-build`."""

from pipelines.cli import app

app(prog_name="python -m pipelines")
