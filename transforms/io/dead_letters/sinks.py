"""Where rejects go: the dead-letter topic, or Avro files where a folder is named; one sink that all of a process share."""

import threading
from typing import Final, Protocol

from transforms.io.dead_letters.files import LetterFileWriter
from transforms.io.dead_letters.writer import DeadLetterWriter
from transforms.io.kafka.offsets import OffsetGap
from transforms.io.kafka.target import KafkaTarget
from transforms.records.dead_letters.letters import Wanted
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.rejects import Reject


class LetterSink(Protocol):
    """Takes rejects; what `flush` returned for, it holds for good. Raises InfrastructureFault where it cannot be written.

    has_failed: it raised, and must not be used again.
    """

    @property
    def has_failed(self) -> bool: ...

    def send(self, reject: Reject) -> None: ...

    def send_gap(self, gap: OffsetGap) -> None: ...

    def send_mark(self, wanted: Wanted) -> None: ...

    def flush(self) -> None: ...


_sinks: dict[tuple[KafkaTarget, LetterPlace], LetterSink] = {}
_making: Final = threading.Lock()


def process_sink(target: KafkaTarget, place: LetterPlace) -> LetterSink:
    """The sink that all rejects of this process share, its topic made where it was missing; another once one has failed.

    A producer costs a connection and a producer id, the topic a request: half a second a slice, were they made anew.
    """
    with _making:
        held = _sinks.get((target, place))
        if held is None or held.has_failed:
            held = _opened(target, place)
            _sinks[target, place] = held
        return held


def _opened(target: KafkaTarget, place: LetterPlace) -> LetterSink:
    if place.path:
        return LetterFileWriter(place.path)
    writer = DeadLetterWriter(target, place.topic)
    writer.ensure_topic()
    return writer
