"""Carry out the commands that the bus brings."""

from collections.abc import Callable, Iterator
from typing import Final

import apache_beam as beam
import structlog

from transforms.io.neo4j_graph import Neo4jGraphStore, process_store
from transforms.io.neo4j_target import Neo4jTarget
from transforms.io.time_limits import TimeLimits
from transforms.steps.metrics import count_command

_LOG: Final = structlog.get_logger("commands")
_ACTS: Final[dict[str, Callable[[Neo4jGraphStore], None]]] = {"ENSURE_SCHEMA": Neo4jGraphStore.ensure_schema}


class CarryOutCommands(beam.PTransform):
    """Each command of a bundle carried out once, before the offsets of its record count as done; gives nothing.

    A command is safe to repeat. limits: of the store that all steps share.
    """

    def __init__(self, target: Neo4jTarget, limits: TimeLimits) -> None:
        super().__init__()
        self._fn = CarryOutCommandsFn(target, limits)

    def expand(self, commands: beam.PCollection[str]) -> beam.PCollection[bytes]:
        return commands | beam.ParDo(self._fn).with_output_types(bytes)


class CarryOutCommandsFn(beam.DoFn):
    def __init__(self, target: Neo4jTarget, limits: TimeLimits) -> None:
        self._target = target
        self._limits = limits
        self._asked: set[str] = set()

    def start_bundle(self) -> None:
        self._asked = set()

    def process(self, command: str) -> Iterator[bytes]:
        self._asked.add(command)
        yield from ()

    def finish_bundle(self) -> None:
        for command in sorted(self._asked):
            _ACTS[command](process_store(self._target, self._limits))
            count_command(command)
            _LOG.info("command carried out", command=command)
