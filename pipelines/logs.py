"""Structured logs on stderr: JSON lines for machines, readable lines on a terminal. Standard output stays for results."""

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """Configure once, first thing in an entry point. Beam's and the drivers' own logs show from WARNING on."""
    number = logging.getLevelNamesMapping()[level]
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING), format="%(levelname)s %(name)s: %(message)s", force=True)
    # Beam prints the traceback of a fault that the entry point reports in one sentence; and on import it
    # mentions optional packages that this job does not need.
    for noisy in ("apache_beam", "root", "neo4j"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if number > logging.DEBUG else logging.DEBUG)
    if number > logging.DEBUG:
        logging.getLogger().setLevel(logging.CRITICAL)
