"""Counts travel from the steps to the run as Beam counters; `transforms/model/metrics.py` declares them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from apache_beam.metrics import Metrics, MetricsFilter

from transforms.io.kafka.offsets import OffsetGap, PartitionFault, Place
from transforms.model.metrics import BATCH_MS, GAPS, OUTCOMES, POSITION, READ, UNREADABLE, WRITE_US, Count
from transforms.records.counts import Counts, counts_of
from transforms.records.outcomes import Tally


class Reached(NamedTuple):
    """What a slice read of one partition: how many records, the first offset met, and the offset to go on from."""

    records: int
    first: int
    position: int


def count(what: Count, number: int, *labels: str) -> None:
    """Add to a declared count; labels: the values of its labels."""
    Metrics.counter(what.namespace, what.counter_name(*labels)).inc(number)


def count_outcomes(tally: Tally, namespace: str = OUTCOMES.namespace) -> None:
    """Count what became of records; call only for what is settled. namespace: one of those that `OUTCOMES` has."""
    for (client_id, outcome), number in tally.items():
        Metrics.counter(namespace, OUTCOMES.counter_name(client_id, outcome)).inc(number)


def mark_read(place: Place, records: int, first: int, position: int) -> None:
    """Note that records of a partition were read, from the offset `first`, and where reading goes on."""
    name = READ.counter_name(place[0], str(place[1]))
    if records:
        Metrics.counter(READ.namespace, name).inc(records)
    reached = Metrics.distribution(POSITION, name)
    reached.update(first)
    reached.update(position)


def count_gap(gap: OffsetGap) -> None:
    """Note offsets that Kafka deleted before they were read."""
    count(GAPS, 1, gap.topic, str(gap.partition), str(gap.start), str(gap.end))


def mark_aside(fault: PartitionFault) -> None:
    """Note a partition that could not be read on."""
    count(UNREADABLE, 1, fault.topic, str(fault.partition), fault.cause)


def count_batches(seconds: Iterable[float]) -> None:
    """Note how long each transaction of the write step took."""
    latency = Metrics.distribution(*BATCH_MS)
    for one in seconds:
        latency.update(int(one * 1000))


def count_write_time(seconds: float) -> None:
    """Count time in which the write step was at work."""
    count(WRITE_US, int(seconds * 1e6))


def read_counts(result: Any) -> Counts:
    """All that a finished pipeline counted."""
    found = result.metrics().query()["counters"]
    return counts_of((one.key.metric.namespace, one.key.metric.name, one.result) for one in found)


def gaps_of(counts: Counts) -> list[OffsetGap]:
    """Offsets that Kafka deleted before they were read."""
    met = [labels for labels, number in counts.of(GAPS).items() if number > 0]
    return [OffsetGap(topic, int(partition), int(start), int(end), int(end)) for topic, partition, start, end in met]


def aside_of(counts: Counts) -> list[PartitionFault]:
    """The partitions that could not be read on."""
    return [PartitionFault(topic, int(partition), cause) for topic, partition, cause in counts.of(UNREADABLE)]


def reached_of(result: Any, counts: Counts | None = None) -> dict[Place, Reached]:
    """What a finished pipeline read, by partition. counts: its counts, where they are known already."""
    records = (counts or read_counts(result)).of(READ)
    found: dict[Place, Reached] = {}
    for one in result.metrics().query(MetricsFilter().with_namespace(POSITION))["distributions"]:
        topic, partition = READ.label_values(one.key.metric.name)
        found[topic, int(partition)] = Reached(records[topic, partition], one.result.min, one.result.max)
    return found
