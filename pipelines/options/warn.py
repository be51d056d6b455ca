"""What settings warn of, in the log."""

from pipelines.options.common import log_level
from pipelines.options.invocation import COMMAND
from pipelines.output.logs import configure_logs


def warn(event: str, **said: str) -> None:
    """Log a warning about a setting, at the level that the command asks for."""
    # It takes longer to import than the rest of a command line, and most warn of nothing.
    import structlog  # noqa: PLC0415

    # Commands configure their logs once their settings are right.
    if not structlog.is_configured():
        context = COMMAND.get()
        configure_logs(log_level(context.params.get("level") or "INFO") if context else "INFO")
    structlog.get_logger("settings").warning(event, **said)
