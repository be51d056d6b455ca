"""Structured logs on stderr: JSON lines for machines, readable lines on a terminal. Standard output stays for results.

No line holds a secret, whoever writes it: this project, a library, or Python about an exception that nobody caught.
"""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any

from transforms.records.redaction.secret_names import is_secret_name
from transforms.records.redaction.text import REDACTED, redact_text
from transforms.records.redaction.tree import TooSuspicious, redact_tree


def configure_logs(level: str) -> None:
    """Configure once, first thing in an entry point. Beam's and the drivers' own logs show from WARNING on."""
    # It takes longer to import than the rest of a command line, and an error of use needs no logs.
    import structlog  # noqa: PLC0415

    number = logging.getLevelNamesMapping()[level]
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redacted,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING), force=True)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    sys.excepthook = _tell_of_a_defect
    # Beam prints the traceback of a fault that the entry point reports in one sentence; and on import it
    # mentions optional packages that this job does not need.
    for noisy in ("apache_beam", "root", "neo4j"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if number > logging.DEBUG else logging.DEBUG)
    if number > logging.DEBUG:
        logging.getLogger().setLevel(logging.CRITICAL)


def _redacted(_logger: Any, _name: str, event: Any) -> Any:
    """structlog's processor: every value of a line without secrets."""
    return {name: _value(name, value) for name, value in event.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str) and not is_secret_name(name):
        return redact_text(value)
    try:
        return redact_tree({name: value})[name] if isinstance(value, str | list | dict) else value
    except TooSuspicious:
        return REDACTED


class _RedactingFormatter(logging.Formatter):
    """Of lines of others, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return redact_text(super().format(record))


def _tell_of_a_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(redact_text("".join(traceback.format_exception(kind, error, trace))))
