"""What settings warn of, in the log."""


def warn(event: str, **said: str) -> None:
    """Log a warning about a setting."""
    # It takes longer to import than the rest of a command line, and most warn of nothing.
    import structlog  # noqa: PLC0415

    structlog.get_logger("settings").warning(event, **said)
