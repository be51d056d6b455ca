"""One round of a fault: what it is given, what it tells, and how it says that something does not hold."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final, NamedTuple

from scripts.sampling.in_memory import expected_digests
from scripts.sampling.produce import TOPICS
from scripts.sampling.record import SampleRecord
from scripts.sampling.stream import sample_stream
from scripts.world import World
from transforms.io.kafka.offsets import KafkaOffsets, Place

POISON_CLASSES: Final = 20
_SHORT_CLUSTERS: Final = 2
_SHORT_RESYNCS: Final = 7
_POLL_S: Final = 0.05


# Records of a tenant that are written together where there are many: one by one, what they come to takes minutes to work out.
TOGETHER: Final = 100
# Of the time without the fault, that others may take with it; and what a machine adds to any time.
_ANALYSED_S: Final = 20.0
_AGAIN_S: Final = 0.5
_TIMES: Final = 2.0
_NOISE_S: Final = 2.0
_NOISE_SHORT_S: Final = 30.0


class DoesNotHold(AssertionError):
    """What must hold after a fault does not; the message says what."""


def must(holds: bool, otherwise: str) -> None:
    """Return where it holds; DoesNotHold with the sentence otherwise."""
    if not holds:
        raise DoesNotHold(otherwise)


def await_that(done: Callable[[], bool], within_s: float, what: str) -> None:
    """Return when it is so; DoesNotHold where that takes longer."""
    limit = time.monotonic() + within_s
    while not done():
        must(time.monotonic() < limit, f"{what}: not within {within_s:.0f} s")
        time.sleep(_POLL_S)


class Seen(NamedTuple):
    """What a round did, and when, in words for the table."""

    what: str


@dataclass(frozen=True, slots=True)
class Round:
    """An empty world, and chance that the seed, the fault and the round's number decide.

    short: as few repetitions as still show that the fault is met.
    """

    world: World
    random: Random
    number: int
    short: bool

    def must_be_in_time(self, what: str, without_s: float, with_s: float) -> None:
        """The others may take twice their time without the fault. DoesNotHold beyond.

        In the short form that time is a few seconds, of which a busy machine makes more: there only a run that is held up
        by far is told, and the long form measures.
        """
        allowed_s = _TIMES * without_s + (_NOISE_SHORT_S if self.short else _NOISE_S)
        must(with_s <= allowed_s, f"the others' {what} took {with_s:.1f} s, and {without_s:.1f} s without the fault")

    def records(self, clusters: int = 4, resyncs: int = 10, poison_classes: int = POISON_CLASSES) -> list[SampleRecord]:
        """A stream of the round's own, about 1,100 records a cluster where it is resynced ten times; a third in the short form."""
        if self.short:
            clusters, resyncs = min(clusters, _SHORT_CLUSTERS), min(resyncs, _SHORT_RESYNCS)
        return sample_stream(clusters, resyncs, self.random.getrandbits(32), poison_classes).records


class Commits:
    """The group's committed offsets, looked at again and again; DoesNotHold where one moved backwards.

    group: another than that of the batch runs.
    """

    def __init__(self, world: World, group: str = "") -> None:
        target = world.kafka_target
        self._offsets = KafkaOffsets(replace(target, group=group) if group else target)
        self._places = [(topic, partition) for topic in TOPICS for partition in range(4)]
        self._seen: dict[Place, int] = {}

    def __enter__(self) -> "Commits":
        return self

    def __exit__(self, *_: object) -> None:
        self._offsets.close()

    def look(self) -> int:
        """How many offsets are committed, in all."""
        now = self._offsets.committed(self._places)
        for place, offset in self._seen.items():
            must(now.get(place, 0) >= offset, f"the committed offset of {place} moved back from {offset} to {now.get(place)}")
        self._seen = now
        return sum(now.values())

    def await_past(self, offsets: int, within_s: float = 120) -> None:
        """Return when at least so many offsets are committed."""
        await_that(lambda: self.look() >= offsets, within_s, f"{offsets:,} committed offsets")


def must_be_the_graph_of(world: World, records: list[SampleRecord], within_s: float = _ANALYSED_S, at_once: int = 1) -> None:
    """Return once every tenant's digest is what the records alone come to, computed without Kafka and Neo4j.

    A run that follows commits what it wrote, and analyses the tenants then. at_once: as in `played`.
    """
    wanted, limit = expected_digests(records, at_once=at_once), time.monotonic() + within_s
    while True:
        found = world.digests()
        differing = sorted(tenant for tenant in wanted.keys() | found.keys() if wanted.get(tenant) != found.get(tenant))
        if not differing:
            return
        must(time.monotonic() < limit, f"the graphs of {', '.join(differing)} are not those of a clean run")
        time.sleep(_AGAIN_S)
