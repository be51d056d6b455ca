"""The entry point; the command is a module of its own."""

from pipelines.console.commands import app

app()
