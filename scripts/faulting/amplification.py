"""What a few bytes may mean: responses of Prometheus that list as much as they can, in front of the others' records."""

import threading
import time
from collections import Counter
from typing import Final, NamedTuple

import psutil

from scripts.faulting.job import READERS, Job
from scripts.faulting.round import TOGETHER, Round, Seen, must, must_be_the_graph_of
from scripts.sampling.record import TARGETS, SampleRecord, json_bytes
from scripts.world import World
from transforms.io.kafka.offsets import KafkaOffsets
from transforms.model.limits import ITEMS, RECORD_BYTES
from transforms.records.rejects import Reason

LOUD: Final = "af-66"
MOST_BYTES: Final = 500 * 1024 * 1024
_LOUD_RECORDS: Final = 12
_POLL_S: Final = 0.1
_FIELDS: Final = b'{"labels":{"job":"%06d"}}'


class Went(NamedTuple):
    """How a run went. others_s: until all records but the loud tenant's were committed. peak_bytes: of resident memory."""

    others_s: float
    seconds: float
    peak_bytes: int
    rejected: int


def amplify(round_: Round) -> Seen:
    """Responses of 1 MiB of targets of 27 bytes, and others with as many as a record may list; against the same targets one by one."""
    world, valid = round_.world, round_.records(resyncs=8, poison_classes=0)
    number = 2 if round_.short else _LOUD_RECORDS
    begin = min(record.timestamp_ms for record in valid)
    beyond = [_response(RECORD_BYTES // len(_FIELDS % 0 + b",") - 2, at, begin) for at in range(_LOUD_RECORDS)]
    within = [_response(ITEMS, at, begin) for at in range(number)]
    reader = READERS[round_.number % len(READERS)]
    singly = [_response(1, at, begin) for at in range(number * ITEMS)]
    plain = _run(world, valid, singly, reader)
    must_be_the_graph_of(world, [*valid, *singly], at_once=TOGETHER)
    loud = _run(world, valid, [*beyond, *within], reader)
    must_be_the_graph_of(world, [*valid, *within], at_once=TOGETHER)
    reasons = Counter((one["reason"], one["client_id"]) for one in world.deadletters())
    must(reasons == {(Reason.LIMIT_EXCEEDED, LOUD): len(beyond)}, f"the dead letters are {dict(reasons)}")
    round_.must_be_in_time("records", plain.others_s, loud.others_s)
    must(loud.peak_bytes <= MOST_BYTES, f"the run took {loud.peak_bytes / 2**20:.0f} MiB of memory")
    return Seen(
        f"{len(beyond)} responses of 1 MiB and {number} of {ITEMS:,} targets before {len(valid):,} records, reader {reader}: the others' "
        f"committed after {loud.others_s:.1f} s (one by one {plain.others_s:.1f} s), all after {loud.seconds:.1f} s; "
        f"{loud.peak_bytes / 2**20:.0f} MiB (one by one {plain.peak_bytes / 2**20:.0f} MiB)"
    )


def _response(targets: int, number: int, timestamp_ms: int) -> SampleRecord:
    listed = b",".join(_FIELDS % (number * targets + at) for at in range(targets))
    value = json_bytes({"status": "success", "data": {"activeTargets": []}}).replace(b"[]", b"[" + listed + b"]")
    return SampleRecord(TARGETS, f"{LOUD}::prometheus".encode(), value, timestamp_ms)


def _run(world: World, valid: list[SampleRecord], loud: list[SampleRecord], reader: str) -> Went:
    """A run over the loud tenant's records, and the others' behind them; every record has an outcome."""
    world.clear()
    world.produce(loud)
    before = world.held()
    world.produce(valid)
    wanted = {place: end for place, end in world.held().items() if end > before.get(place, 0)}
    began = time.monotonic()
    with Job(world, f"--kafka_reader={reader}") as job, Memory(job.pid) as memory:
        offsets = KafkaOffsets(world.kafka_target)
        try:
            while job.goes_on and not all(offsets.committed(wanted).get(place, 0) >= end for place, end in wanted.items()):
                time.sleep(_POLL_S)
        finally:
            offsets.close()
        others_s = time.monotonic() - began
        ended = job.end().must_be(0)
    read = ended.must_count_every_record_once()
    must(read == len(valid) + len(loud), f"{read} records were read of {len(valid) + len(loud)}")
    return Went(others_s, time.monotonic() - began, memory.peak_bytes, ended.report["rejected"])


class Memory:
    """The most resident memory that a process has while the block goes on, looked at every tenth of a second."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_bytes = 0

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_POLL_S):
            try:
                self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss)
            except psutil.Error:
                return
