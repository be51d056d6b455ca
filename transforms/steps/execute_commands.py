"""Carry out the commands that the bus brings."""

from collections.abc import Iterator
from typing import Final

import apache_beam as beam
import structlog

from transforms.io.graph_sink import GraphSink
from transforms.io.neo4j.time_limits import TimeLimits
from transforms.model.metrics import COMMANDS
from transforms.records.commands import COMMAND_OF_WORD
from transforms.steps.metrics import count

_LOG: Final = structlog.get_logger("commands")


class ExecuteCommands(beam.PTransform):
    """Each command of a bundle carried out once, before the offsets of its record count as done; gives nothing.

    A command is safe to repeat. limits: of the store that all steps share.
    """

    def __init__(self, graph: GraphSink, limits: TimeLimits) -> None:
        super().__init__()
        self._fn = ExecuteCommandsFn(graph, limits)

    def expand(self, commands: beam.PCollection[str]) -> beam.PCollection[bytes]:
        return commands | beam.ParDo(self._fn).with_output_types(bytes)


class ExecuteCommandsFn(beam.DoFn):
    def __init__(self, graph: GraphSink, limits: TimeLimits) -> None:
        self._graph = graph
        self._limits = limits
        self._asked: set[str] = set()

    def start_bundle(self) -> None:
        self._asked = set()

    def process(self, command: str) -> Iterator[bytes]:
        self._asked.add(command)
        yield from ()

    def finish_bundle(self) -> None:
        for command in sorted(self._asked):
            COMMAND_OF_WORD[command].act(self._graph.store(self._limits))
            count(COMMANDS, 1, command)
            _LOG.info("command carried out", command=command)
