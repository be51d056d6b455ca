"""Counts that travel from the steps to the run: outcomes per tenant, positions per partition, commands."""

from collections.abc import Iterable
from typing import Any, Final

from apache_beam.metrics import Metrics, MetricsFilter

from transforms.records.outcomes import Outcome, Tally

OUTCOME: Final = "outcome"
POSITION: Final = "position"
BYTES: Final = "bytes"
COMMAND: Final = "command"


def count_outcomes(tally: Tally) -> None:
    """Count what became of records; call only for what is settled."""
    for (client_id, outcome), number in tally.items():
        Metrics.counter(OUTCOME, f"{client_id}/{outcome}").inc(number)


def count_one(client_id: str, outcome: Outcome, number: int = 1) -> None:
    Metrics.counter(OUTCOME, f"{client_id}/{outcome}").inc(number)


def count_command(command: str) -> None:
    """Note a command of the closed set; the run carries it out after the slice."""
    Metrics.counter(COMMAND, command).inc()


def mark_positions(offsets: Iterable[tuple[str, int, int]], size_bytes: int) -> None:
    """Note the records read: topic, partition, offset of each."""
    for topic, partition, offset in offsets:
        Metrics.distribution(POSITION, f"{topic}/{partition}").update(offset + 1)
    Metrics.counter(BYTES, "read").inc(size_bytes)


def outcomes_of(result: Any) -> Tally:
    """The outcomes that a finished pipeline counted."""
    tally = Tally()
    for counter in result.metrics().query(MetricsFilter().with_namespace(OUTCOME))["counters"]:
        client_id, _, outcome = counter.key.metric.name.rpartition("/")
        tally[client_id, Outcome(outcome)] += counter.result
    return tally


def positions_of(result: Any) -> dict[tuple[str, int], tuple[int, int]]:
    """By partition: how many records a finished pipeline read, and the offset after the last."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for one in result.metrics().query(MetricsFilter().with_namespace(POSITION))["distributions"]:
        topic, _, partition = one.key.metric.name.rpartition("/")
        found[topic, int(partition)] = (one.result.count, one.result.max)
    return found


def bytes_of(result: Any) -> int:
    """How many bytes of keys and values a finished pipeline read."""
    return sum(one.result for one in result.metrics().query(MetricsFilter().with_namespace(BYTES))["counters"])


def commands_of(result: Any) -> set[str]:
    """The commands that a finished pipeline met."""
    return {one.key.metric.name for one in result.metrics().query(MetricsFilter().with_namespace(COMMAND))["counters"]}
