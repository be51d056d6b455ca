"""Where a group stands, kept in the graph beside what Kafka keeps of it.

Kafka forgets what a group has committed where it commits nothing for a time. The graph does not, and it holds what was read up to
there: from it "never read" is told from "forgotten". Only the holder of the group's lease writes it.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import structlog

from transforms.io.faults import InfrastructureFault, said_by
from transforms.io.kafka.partitions import Place
from transforms.io.kafka.ranges import CommittedPosition
from transforms.io.neo4j.errors import RowRefused
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model import cypher
from transforms.model.graph import TENANT_KEY
from transforms.records.outcomes import NO_TENANT

_LOG: Final = structlog.get_logger("offsets")
KEEP_S: Final = 600.0
_MS: Final = 1000.0


def kept_name(group: str) -> str:
    """What the node is called that keeps a group's offsets."""
    return f"{group} offsets"


def stands_of(rows: list[dict[str, Any]]) -> tuple[dict[Place, CommittedPosition], float]:
    """What `READ_KEPT_OFFSETS` found, and how many seconds ago it was noted; nothing where nothing was."""
    if not rows:
        return {}, 0.0
    (row,) = rows
    columns = (row["topics"], row["partitions"], row["ids"], row["offsets"])
    stands = {
        (topic, int(number)): CommittedPosition(topic_id, int(offset)) for topic, number, topic_id, offset in zip(*columns, strict=True)
    }
    return stands, float(row["age_ms"]) / _MS


class GroupProgressStore:
    """Reads and writes what is kept of one group. holder: as the group's lease names this run."""

    def __init__(self, store: Neo4jGraphStore, group: str, holder: str = "") -> None:
        self._store = store
        self._group = group
        self._holder = holder
        self._next = 0.0

    def _key(self) -> dict[str, str]:
        return {TENANT_KEY: NO_TENANT, "name": self._group, "kept": kept_name(self._group)}

    def read(self) -> tuple[dict[Place, CommittedPosition], float]:
        """Where the group stood, and how many seconds ago that was noted; nothing where nothing was."""
        return stands_of(self._store.ask(cypher.READ_KEPT_OFFSETS, **self._key()))

    @property
    def is_due(self) -> bool:
        """Whether it is time to keep what is new."""
        return time.monotonic() >= self._next

    def keep(self, stands: Mapping[Place, CommittedPosition]) -> None:
        """Note where the group stands, while its lease is this run's; where Neo4j does not answer, what was noted before stays."""
        self._next = time.monotonic() + KEEP_S
        if not stands:
            return
        places = sorted(stands)
        columns = {
            "topics": [topic for topic, _ in places],
            "partitions": [partition for _, partition in places],
            "ids": [stands[place].topic_id for place in places],
            "offsets": [stands[place].offset for place in places],
        }
        try:
            self._store.ask(cypher.KEEP_OFFSETS, **self._key(), holder=self._holder, **columns)
        except (InfrastructureFault, RowRefused) as error:
            _LOG.warning(
                "offsets not kept in the graph",
                group=self._group,
                detail=said_by(error)[:300],
            )
