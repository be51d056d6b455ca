"""Topics that are to be read and do not exist: a fault where the run ends, told once where it goes on and waits for them."""

from collections.abc import Iterable
from typing import Final

import structlog

from runners.observe.metrics import Monitor
from transforms.io.faults import InfrastructureFault
from transforms.records.topic_names import near_topic

_LOG: Final = structlog.get_logger("run")
_SHOWN: Final = 10
_REMEDY: Final = "make them with `python -m pipelines.topics create`, or name those to read with --topics or KAFKA_TOPICS"


class MissingTopics:
    """Compares the topics to read with those that exist, at each look; what has changed since the last look is told.

    must_exist: all of them must, since they were named one by one. waits: the run goes on, and takes in a topic once it exists.
    """

    def __init__(self, brokers: str, monitor: Monitor | None, *, must_exist: bool, waits: bool) -> None:
        self._brokers = brokers
        self._monitor = monitor
        self._must_exist = must_exist
        self._waits = waits
        self._before: tuple[int, list[str]] | None = None

    def look(self, to_read: Iterable[str], there: Iterable[str]) -> None:
        """Tell what is missing. InfrastructureFault where nothing can be read, or not all that was named, and the run does not wait."""
        wanted, known = list(to_read), set(there)
        missing = [topic for topic in wanted if topic not in known]
        found = len(wanted) - len(missing)
        if self._monitor:
            self._monitor.topics_missing(len(missing))
        if (found, missing) != self._before:
            self._before = (found, missing)
            self._tell(found, missing)
        if self._waits or (found and not (missing and self._must_exist)):
            return
        what = "has none of the topics to read" if not found else "lacks topics that were named"
        raise InfrastructureFault(f"Kafka at {self._brokers} {what} ({_listed(missing)}): {_remedy(missing)}, then run again.")

    def _tell(self, found: int, missing: list[str]) -> None:
        if not missing:
            _LOG.info("topics", found=found, missing=[])
        elif found:
            tell = _LOG.warning if self._must_exist else _LOG.info
            tell("topics", found=found, missing=missing[:_SHOWN], detail="those that are missing are read once they exist")
        elif self._waits:
            _LOG.warning("topics", found=0, missing=missing[:_SHOWN], detail=f"waiting until one exists: {_remedy(missing)}")


def _remedy(missing: list[str]) -> str:
    """To make the topics; where each looks misspelt, to write them as they are called."""
    near = [near_topic(topic) for topic in missing[:_SHOWN]]
    return f"did you mean {', '.join(near)}? Fix --topics or KAFKA_TOPICS" if near and all(near) else _REMEDY


def _listed(topics: list[str]) -> str:
    more = f" and {len(topics) - _SHOWN} more" if len(topics) > _SHOWN else ""
    return (", ".join(topics[:_SHOWN]) or "--topics names none") + more
