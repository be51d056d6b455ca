"""The job without an end: submitted to Flink, and watched until told to stop watching."""

from typing import Final

import structlog

_LOG: Final = structlog.get_logger("stream")
GROUP_SUFFIX: Final = ".flink"
