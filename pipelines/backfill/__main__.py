"""The entry point; the commands are a module of their own, whose classes a worker can import."""

from pipelines.backfill.commands import app

app()
