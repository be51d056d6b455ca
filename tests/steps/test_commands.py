"""Each command that the bus may bring is carried out on the graph's store, and may come again."""

import apache_beam as beam
import pytest

from runners.direct import run_pipeline
from transforms.io.neo4j.time_limits import DEFAULT_LIMITS
from transforms.model.metrics import COMMANDS
from transforms.records.commands import BUS_COMMANDS, BusCommand
from transforms.steps.execute_commands import ExecuteCommands
from transforms.steps.metrics import read_counts
from transforms.testing.memory_sink import MemorySink

GRAPH = MemorySink("test_commands")


@pytest.mark.parametrize("command", BUS_COMMANDS, ids=lambda command: command.word)
def test_a_command_that_comes_twice_in_a_bundle_is_carried_out_once(command: BusCommand) -> None:
    GRAPH.clear()

    result = run_pipeline(
        lambda pipeline: pipeline | beam.Create([command.word] * 2, reshuffle=False) | ExecuteCommands(GRAPH, DEFAULT_LIMITS)
    )

    assert read_counts(result).of(COMMANDS) == {(command.word,): 1}


def test_ensure_schema_makes_the_schema() -> None:
    GRAPH.clear()
    run_pipeline(lambda pipeline: pipeline | beam.Create(["ENSURE_SCHEMA"]) | ExecuteCommands(GRAPH, DEFAULT_LIMITS))
    assert GRAPH.graph.store.has_schema
