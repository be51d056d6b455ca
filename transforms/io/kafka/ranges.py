"""Ranges of offsets, gaps in them, and where a group stands: the words in which reading is planned."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from transforms.io.kafka.partitions import HeldBack, PartitionFault, Place

# No broker should forget what a group has committed sooner than this; the doctor says so where one does.
EXPIRES_S: Final = 24 * 3600.0


class OffsetRange(NamedTuple):
    """Offsets [start, end) of one partition."""

    topic: str
    partition: int
    start: int
    end: int

    @property
    def place(self) -> Place:
        return (self.topic, self.partition)

    @property
    def lag(self) -> int:
        """How many offsets, an upper limit on the records: compaction and control records leave gaps."""
        return self.end - self.start


class OffsetGap(NamedTuple):
    """Offsets [start, end) that Kafka no longer holds although they were never taken in; reading goes on at `resumed`.

    resumed < start: the log was cut back, or the topic made anew.
    """

    topic: str
    partition: int
    start: int
    end: int
    resumed: int

    @property
    def place(self) -> Place:
        return (self.topic, self.partition)

    @property
    def sentence(self) -> str:
        """What happened and what to do, in one sentence."""
        where = f"{self.topic}[{self.partition}]"
        if self.resumed < self.start:
            return (
                f"{where} ends before offset {self.start}, where the group stood: the topic was made anew or its log cut back; "
                f"reading goes on at {self.resumed}, let the agents resync."
            )
        return (
            f"{where} no longer holds the offsets {self.start} to {self.end - 1}, which were never taken in; reading goes on at "
            f"{self.resumed}: lengthen the topic's retention or run more often, and let the agents resync."
        )


class ReadPlan(NamedTuple):
    """What is to be read, and what no longer can be, or not now.

    aside: partitions that cannot be read while others can. held_back: what open transactions hide.
    expired: partitions of which Kafka has forgotten what the group had committed; they are read on from where it stood.
    """

    ranges: list[OffsetRange]
    gaps: list[OffsetGap]
    aside: tuple[PartitionFault, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    expired: tuple[OffsetRange, ...] = ()


class CommittedPosition(NamedTuple):
    """Where the group stood in a partition, and the id of the topic as it was then."""

    topic_id: str
    offset: int


def gap_before(place: Place, committed: int, earliest: int, latest: int) -> OffsetGap | None:
    """What of a partition was deleted before it was taken in; None where nothing was."""
    if committed < earliest:
        return OffsetGap(*place, committed, earliest, earliest)
    return OffsetGap(*place, committed, committed, earliest) if committed > latest else None


def gap_of_topic_made_anew(place: Place, stood: CommittedPosition | None, topic_id: str, earliest: int) -> OffsetGap | None:
    """The gap where the topic is another than the one in which the group stood, whatever is committed; None where it is
    the same, where that is not known, and where the group had taken in nothing."""
    if stood is None or "" in (stood.topic_id, topic_id) or stood.topic_id == topic_id or stood.offset <= earliest:
        return None
    return OffsetGap(*place, stood.offset, stood.offset, earliest)


class Forgotten(NamedTuple):
    """Partitions whose committed offsets are gone. expired: what is left to read of them. anew: where those begin that begin anew."""

    expired: tuple[OffsetRange, ...]
    anew: dict[Place, int]


class GroupProgress:
    """Where a group stood in each partition, and the topic's id then, whatever Kafka remembers of it.

    It tells what Kafka has forgotten from what never was, and a topic that was made anew from the one it was.
    """

    def __init__(self) -> None:
        self._stands: dict[Place, CommittedPosition] = {}
        self._age_s = 0.0

    def remember(self, stands: Mapping[Place, CommittedPosition], age_s: float) -> None:
        """Take in what was kept elsewhere so long ago; what is known already counts before that."""
        self._stands = {**stands, **self._stands}
        self._age_s = age_s

    def note(self, place: Place, stand: CommittedPosition) -> None:
        """The group stands there now."""
        self._stands[place] = stand

    def get(self, place: Place) -> CommittedPosition | None:
        return self._stands.get(place)

    def all(self) -> dict[Place, CommittedPosition]:
        """All of them, to be kept elsewhere."""
        return dict(self._stands)

    def forgotten(
        self,
        topic_ids: Mapping[str, str],
        done: Mapping[Place, int],
        earliest: Mapping[Place, int],
        latest: Mapping[Place, int],
        commits_elsewhere: Callable[[], bool],
    ) -> "Forgotten":
        """The partitions in which nothing is committed although the group stood there, in the same topic.

        Where nothing at all is committed any more, either all of it expired, long after the group's last commit, or somebody
        deleted the group to have everything read anew. commits_elsewhere: whether the group has committed in other topics
        than these; asked only where it matters.
        """
        lost = [place for place in sorted(latest) if place not in done and self._is_same(place, topic_ids)]
        if lost and not done and self._age_s < EXPIRES_S and not commits_elsewhere():
            for place in lost:
                del self._stands[place]
            return Forgotten((), {place: earliest[place] for place in lost})
        starts = {place: min(max(self._stands[place].offset, earliest[place]), latest[place]) for place in lost}
        return Forgotten(tuple(OffsetRange(*place, start, latest[place]) for place, start in starts.items()), {})

    def _is_same(self, place: Place, topic_ids: Mapping[str, str]) -> bool:
        stood = self._stands.get(place)
        return stood is not None and stood.topic_id != "" and stood.topic_id == topic_ids.get(place[0])
