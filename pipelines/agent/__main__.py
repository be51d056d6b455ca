"""The entry point of the agent."""

from pipelines.agent.commands import app

app()
