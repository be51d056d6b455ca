"""Records of one tenant, topic, partition and hour by their fields: what nearly all of an archive is, without an object for each."""

from collections.abc import Iterator, Sequence
from typing import Final, overload

import msgspec

from transforms.records.archive_format.archived import Archived, grouped
from transforms.records.archive_format.paths import HOUR_MS, Group, hour_of
from transforms.records.record import KafkaRecord

# Of a record beside its bytes, in a block and in memory, about.
RECORD_OVERHEAD: Final = 128


class Run(msgspec.Struct, array_like=True, gc=False):
    """Records that are in the archive as they lie in Kafka, without headers. All lists have a place for each record.

    times: in milliseconds since 1970.
    """

    client_id: str
    topic: str
    partition: int
    is_broker_time: bool
    offsets: list[int]
    times: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]

    @property
    def group(self) -> Group:
        """What the file of these records has in common."""
        return Group(self.client_id, self.topic, self.partition, hour_of(self.times[0]))

    def add(self, other: "Run") -> None:
        """Append the records of another, which differs in its lists alone."""
        self.offsets += other.offsets
        self.times += other.times
        self.keys += other.keys
        self.values += other.values


class RunView(Sequence[Archived]):
    """A run as the records that it stands for, each made when it is asked for; a slice of it is one too."""

    __slots__ = ("run",)

    def __init__(self, run: Run) -> None:
        self.run = run

    def __len__(self) -> int:
        return len(self.run.offsets)

    @overload
    def __getitem__(self, at: int) -> Archived: ...
    @overload
    def __getitem__(self, at: slice) -> "RunView": ...
    def __getitem__(self, at: int | slice) -> "Archived | RunView":
        run = self.run
        if isinstance(at, slice):
            lists = run.offsets[at], run.times[at], run.keys[at], run.values[at]
            return RunView(Run(run.client_id, run.topic, run.partition, run.is_broker_time, *lists))
        told = run.offsets[at], run.times[at], run.keys[at], run.values[at]
        return Archived(KafkaRecord(run.topic, run.partition, *told, (), run.is_broker_time), run.client_id)

    def __iter__(self) -> Iterator[Archived]:
        return (self[at] for at in range(len(self)))


class Gathered(msgspec.Struct, array_like=True, gc=False):
    """Records on their way to the archive: in runs, and those that a run cannot hold."""

    runs: list[Run] = []
    others: list[Archived] = []

    def __len__(self) -> int:
        return sum(len(one.offsets) for one in self.runs) + len(self.others)


def groups_of(gathered: list[Gathered]) -> dict[Group, Sequence[Archived]]:
    """All the records by what a file has in common; a group in the order in which its records came, those outside of runs first."""
    runs: dict[RunKey, Run] = {}
    for portion in gathered:
        for run in portion.runs:
            before = runs.setdefault(_key(run), run)
            if before is not run:
                before.add(run)
    found: dict[Group, Sequence[Archived]] = dict(grouped(one for portion in gathered for one in portion.others))
    for run in runs.values():
        others = found.get(run.group)
        found[run.group] = RunView(run) if others is None else [*others, *RunView(run)]
    return found


def _key(run: Run) -> "RunKey":
    return (run.client_id, run.topic, run.partition, run.times[0] // HOUR_MS, run.is_broker_time)


RunKey = tuple[str, str, int, int, bool]


class Gathering:
    """Gathers records, in the order in which they come. size_bytes: what they take, about; 0 where there are none."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._runs: dict[RunKey, Run] = {}
        self._others: list[Archived] = []

    def add_plain(self, client_id: str, record: KafkaRecord) -> None:
        """Add a record that is archived as it lies in Kafka, and has no headers."""
        time_ms, raw_key, value = record.timestamp_ms, record.key, record.value
        key = (client_id, record.topic, record.partition, time_ms // HOUR_MS, record.is_broker_time)
        run = self._runs.get(key)
        if run is None:
            run = self._runs[key] = Run(client_id, record.topic, record.partition, record.is_broker_time, [], [], [], [])
        run.offsets.append(record.offset)
        run.times.append(time_ms)
        run.keys.append(raw_key)
        run.values.append(value)
        self.size_bytes += RECORD_OVERHEAD + len(raw_key or b"") + len(value or b"")

    def add(self, one: Archived) -> None:
        """Add any record."""
        record = one.record
        if one.redacted or one.withheld is not None or record.headers:
            self._others.append(one)
            named = sum(len(name) + len(value or b"") for name, value in record.headers)
            self.size_bytes += RECORD_OVERHEAD + len(record.key or b"") + len(record.value or b"") + named
        else:
            self.add_plain(one.client_id, record)

    def taken(self) -> Gathered:
        """What was gathered so far, and is forgotten here."""
        found = Gathered(list(self._runs.values()), self._others)
        self._runs, self._others, self.size_bytes = {}, [], 0
        return found
