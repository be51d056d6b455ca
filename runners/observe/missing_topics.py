"""Topics that are to be read and do not exist: a fault where the run ends, told once where it goes on and waits for them."""

from collections.abc import Iterable
from typing import Final

import structlog

from runners.observe.metrics import Monitor
from transforms.io.faults import InfrastructureFault
from transforms.records.topic_names import TOPIC_NAMES, near_topic

_LOG: Final = structlog.get_logger("run")
_SHOWN: Final = 10
_MAKE: Final = "make them with `python -m pipelines.topics create`, or name those to read with --topics or KAFKA_TOPICS"
_SETTING: Final = "--topics or KAFKA_TOPICS"


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
        goes_on = self._waits or bool(found and not (missing and self._must_exist))
        if goes_on and (found, missing) != self._before:
            self._before = (found, missing)
            self._tell(found, missing)
        if goes_on:
            return
        what = "has none of the topics to read" if not found else "lacks topics that were named"
        raise InfrastructureFault(f"Kafka at {self._brokers} {what} ({_listed(missing)}): {_remedy(missing)}, then run again.")

    def _tell(self, found: int, missing: list[str]) -> None:
        if not missing:
            _LOG.info("topics", found=found, missing=[])
        elif found:
            tell = _LOG.warning if self._must_exist else _LOG.info
            when = "are read once they exist" if self._waits else "are read by a run that begins once they exist"
            tell("topics", found=found, missing=missing[:_SHOWN], detail=f"those that are missing {when}")
        else:
            _LOG.warning("topics", found=0, missing=missing[:_SHOWN], detail=f"waiting until one exists: {_remedy(missing)}")


def _remedy(missing: list[str]) -> str:
    """To make the topics; to write one that looks misspelt as it is called; to leave out one that this version does not decode."""
    near = [one for topic in missing[:_SHOWN] if (one := near_topic(topic))]
    if near:
        return f"did you mean {', '.join(near)}? Fix {_SETTING}"
    unknown = [topic for topic in missing if not topic.endswith(tuple(TOPIC_NAMES))]
    if unknown:
        return f"this version decodes no topic of the name {', '.join(unknown[:_SHOWN])}; fix {_SETTING}"
    of_clusters = [topic for topic in missing if topic not in TOPIC_NAMES]
    if of_clusters:
        made = f"python -m pipelines.topics create --topic_per_cluster --topics {','.join(missing[:_SHOWN])}"
        return f"make them with `{made}`, or fix {_SETTING}"
    return _MAKE


def _listed(topics: list[str]) -> str:
    more = f" and {len(topics) - _SHOWN} more" if len(topics) > _SHOWN else ""
    return (", ".join(topics[:_SHOWN]) or "--topics names none") + more
