"""Which dead letters are meant, and where they lie: for who names them without reading them."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import re2

from transforms.model.limits import INTEGER_MAX
from transforms.records.rejects import Reason

# The record of offsets that Kafka deleted before they were taken in; it is no reject, so it is none of `Reason`.
OFFSETS_LOST: Final = "offsets_lost"
# The mark that a replay leaves of a letter whose record the job took in: no reject either, and no letter to be listed.
REPLAYED: Final = "replayed"
REASONS: Final = (*(str(reason) for reason in Reason), OFFSETS_LOST)

TOPIC_PATTERN: Final = r"[a-zA-Z0-9._-]{1,249}"
_COORDINATES: Final = re2.compile(rf"({TOPIC_PATTERN})\[([0-9]{{1,10}})\]@([0-9]{{1,19}})")


class Coordinates(NamedTuple):
    """Where a record lies; as text `topic[partition]@offset`, the form used in logs and messages."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


def parse_coordinates(text: str) -> Coordinates | None:
    """The coordinates that the text names; None where it has another form or names what no record can have."""
    found = _COORDINATES.fullmatch(text.strip())
    if found is None:
        return None
    at = Coordinates(found[1], int(found[2]), int(found[3]))
    return at if at.partition < 2**31 and at.offset <= INTEGER_MAX else None


class LetterPlace(NamedTuple):
    """Where dead letters lie: on a topic, or where a path is named in files under it."""

    topic: str
    path: str = ""

    def __str__(self) -> str:
        return self.path or self.topic


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters are meant; an empty set means all. Tenant `-`: letters that name no tenant. originals: of their records."""

    reasons: frozenset[str] = frozenset()
    client_ids: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    originals: frozenset[Coordinates] = frozenset()

    @property
    def means_all(self) -> bool:
        """Whether nothing narrows it down."""
        return self == LetterFilter()

    def matches(self, client_id: str, reason: str, topic: str, partition: int = 0, offset: int = 0) -> bool:
        """topic, partition, offset: of the original record."""
        if self.originals and (topic, partition, offset) not in self.originals:
            return False
        wanted = ((self.client_ids, client_id), (self.reasons, reason), (self.topics, topic))
        return all(not names or name in names for names, name in wanted)
