"""The entry point; the commands are a module of their own, whose classes a worker can import."""

from pipelines.incidents.commands import app

app()
