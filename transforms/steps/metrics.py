"""Counts that travel from the steps to the run: outcomes per tenant, positions per partition, commands."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from apache_beam.metrics import Metrics, MetricsFilter

from transforms.io.kafka.offsets import OffsetGap, PartitionFault, Place
from transforms.records.outcomes import Outcome, Tally

OUTCOME: Final = "outcome"
# Flink keeps one counter of a name for all steps that it fuses, the value of one of them: those that count the same and may be
# fused count apart.
OUTCOME_OF_FOLD: Final = "outcome-fold"
OUTCOME_OF_SIGNS: Final = "outcome-signs"
OUTCOMES: Final = (OUTCOME, OUTCOME_OF_FOLD, OUTCOME_OF_SIGNS)
REASON: Final = "reason"
READ: Final = "read"
POSITION: Final = "position"
BYTES: Final = "bytes"
HELD: Final = "held"
COMMAND: Final = "command"
WRITE: Final = "write"
RESTORED: Final = "restored"
UNAVAILABLE: Final = "unavailable"
SET_ASIDE: Final = "set_aside"
INTERNAL: Final = "internal"
PARTITION: Final = "partition"
GAP: Final = "gap"


# A cluster's own names of metrics have no dots; no tenant's id and no topic's name has a tilde.
_DOT: Final = "~"


def _told(*parts: str) -> str:
    """The name of a counter: its parts, between slashes."""
    return "/".join(parts).replace(".", _DOT)


def parts_of(name: str) -> tuple[str, str]:
    """What the name of a counter was made of: what comes before the last slash, and after it."""
    before, _, after = name.replace(_DOT, ".").rpartition("/")
    return before, after


class Reached(NamedTuple):
    """What a slice read of one partition: how many records, the first offset met, and the offset to go on from."""

    records: int
    first: int
    position: int


def count_outcomes(tally: Tally, namespace: str = OUTCOME) -> None:
    """Count what became of records; call only for what is settled. namespace: one of `OUTCOMES`."""
    for (client_id, outcome), number in tally.items():
        Metrics.counter(namespace, _told(client_id, outcome)).inc(number)


def count_command(command: str) -> None:
    """Note that a command was carried out."""
    Metrics.counter(COMMAND, command).inc()


def count_reason(client_id: str, reason: str, number: int) -> None:
    """Note why records were rejected."""
    Metrics.counter(REASON, _told(client_id, reason)).inc(number)


def count_internal(step: str, number: int) -> None:
    """Note that exceptions nobody foresaw were caught in a step."""
    Metrics.counter(INTERNAL, step).inc(number)


def mark_read(place: Place, records: int, first: int, position: int) -> None:
    """Note that records of a partition were read, from the offset `first`, and where reading goes on."""
    name = _told(place[0], str(place[1]))
    if records:
        Metrics.counter(READ, name).inc(records)
    reached = Metrics.distribution(POSITION, name)
    reached.update(first)
    reached.update(position)


def count_gap(gap: OffsetGap) -> None:
    """Note offsets that Kafka deleted before they were read."""
    Metrics.counter(GAP, _told(gap.topic, str(gap.partition), str(gap.start), str(gap.end))).inc()


def gap_of(name: str) -> OffsetGap:
    """The gap that a counter of `count_gap` tells of."""
    topic, partition, start, end = name.replace(_DOT, ".").rsplit("/", 3)
    return OffsetGap(topic, int(partition), int(start), int(end), int(end))


def mark_aside(fault: PartitionFault) -> None:
    """Note a partition that could not be read on."""
    Metrics.counter(PARTITION, _told(fault.topic, str(fault.partition), fault.cause)).inc()


def aside_of(result: Any) -> list[PartitionFault]:
    """The partitions that a finished pipeline could not read on."""
    found = (parts_of(name) for name, _ in _counters(result, PARTITION))
    return [PartitionFault(place.rpartition("/")[0], int(place.rpartition("/")[2]), cause) for place, cause in found]


def count_restored(records: int) -> None:
    """Note that letters became original records again."""
    Metrics.counter(RESTORED, "records").inc(records)


def count_unavailable(client_id: str, why: str, number: int) -> None:
    """Note that there is no original record to letters any more, and why."""
    Metrics.counter(UNAVAILABLE, _told(client_id, why)).inc(number)


def mark_bytes(size_bytes: int) -> None:
    Metrics.counter(BYTES, "read").inc(size_bytes)


def count_held(rows: int) -> None:
    """Count rows that what was read comes to, less what it says more than once."""
    Metrics.counter(HELD, "rows").inc(rows)


def count_rows(rows: int) -> None:
    """Count rows that the write step committed."""
    Metrics.counter(WRITE, "rows").inc(rows)


def count_batches(seconds: Iterable[float]) -> None:
    """Note how long each transaction of the write step took."""
    latency = Metrics.distribution(WRITE, "batch_ms")
    for one in seconds:
        latency.update(int(one * 1000))


def count_write_time(seconds: float) -> None:
    """Count time in which the write step was at work."""
    Metrics.counter(WRITE, "us").inc(int(seconds * 1e6))


def count_set_aside(client_id: str) -> None:
    """Note that a tenant was set aside in the middle of the pipeline, and left records without an outcome."""
    Metrics.counter(SET_ASIDE, _told(client_id, "tenant")).inc()


def set_aside_of(result: Any) -> set[str]:
    """The tenants that a finished pipeline set aside: where there are any, it is to be run again."""
    return {parts_of(name)[0] for name, _ in _counters(result, SET_ASIDE)}


def written_of(result: Any) -> tuple[int, float]:
    """The rows that a finished pipeline committed, and the seconds inside the write step."""
    found = dict(_counters(result, WRITE))
    return found.get("rows", 0), found.get("us", 0) / 1e6


def outcomes_of(result: Any) -> Tally:
    """The outcomes that a finished pipeline counted."""
    tally = Tally()
    for namespace in OUTCOMES:
        for name, number in _counters(result, namespace):
            client_id, outcome = parts_of(name)
            tally[client_id, Outcome(outcome)] += number
    return tally


def reasons_of(result: Any) -> dict[tuple[str, str], int]:
    """How many records a finished pipeline rejected, by tenant and reason."""
    return _by_tenant(result, REASON)


def internal_of(result: Any) -> dict[str, int]:
    """How many exceptions nobody foresaw a finished pipeline caught, by step."""
    return dict(_counters(result, INTERNAL))


def restored_of(result: Any) -> int:
    """How many letters a finished pipeline made original records of."""
    return sum(number for _, number in _counters(result, RESTORED))


def unavailable_of(result: Any) -> dict[tuple[str, str], int]:
    """To how many letters a finished pipeline found no original record, by tenant and why."""
    return _by_tenant(result, UNAVAILABLE)


def reached_of(result: Any) -> dict[Place, Reached]:
    """By partition, what a finished pipeline read."""
    records = dict(_counters(result, READ))
    found: dict[Place, Reached] = {}
    for one in result.metrics().query(MetricsFilter().with_namespace(POSITION))["distributions"]:
        name = one.key.metric.name
        topic, partition = parts_of(name)
        found[topic, int(partition)] = Reached(records.get(name, 0), one.result.min, one.result.max)
    return found


def bytes_of(result: Any) -> int:
    """How many bytes of keys and values a finished pipeline read."""
    return sum(number for _, number in _counters(result, BYTES))


def held_of(result: Any) -> int:
    """How many rows that what a finished pipeline read comes to."""
    return sum(number for _, number in _counters(result, HELD))


def _counters(result: Any, namespace: str) -> list[tuple[str, int]]:
    found = result.metrics().query(MetricsFilter().with_namespace(namespace))["counters"]
    return [(one.key.metric.name, one.result) for one in found]


def _by_tenant(result: Any, namespace: str) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for name, number in _counters(result, namespace):
        client_id, what = parts_of(name)
        found[client_id, what] = found.get((client_id, what), 0) + number
    return found
