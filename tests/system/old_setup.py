"""What stands there before a migration: a cluster's own Kafka, the older builders' own Neo4j, and a mirror into the shared topics."""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import neo4j

from runners.local.service import await_services, start_services, stop_services
from runners.local.services import NEO4J_USER, Kafka, Neo4j
from runners.local.stack import LocalStack, free_stack_ports
from scripts.faulting.topics import held_records, sample_of
from scripts.sampling.produce import TOPICS
from scripts.sampling.record import SampleRecord
from tests.system.world import World
from transforms.io.kafka.target import KafkaTarget
from transforms.records.dead_letters.letters import coordinates_of
from transforms.records.dead_letters.selection import Coordinates

# Small, since they stand beside the stack's own.
_HEAP: Final = ("128m", "384m")
_PAGE_CACHE: Final = "64m"


class OldSetup:
    """A second Kafka and a second Neo4j; nothing of them is left after `down`."""

    def __init__(self, folder: Path, jars: Path) -> None:
        ports = free_stack_ports()
        self.kafka = Kafka(folder, jars, ports.kafka, ports.kafka_controller)
        self.neo4j = Neo4j(folder, jars, ports.neo4j, _HEAP, _PAGE_CACHE)

    def up(self) -> None:
        start_services((self.neo4j, self.kafka))
        await_services((self.neo4j, self.kafka))

    def down(self) -> None:
        stop_services((self.neo4j, self.kafka))

    def environment(self, brokers: str) -> dict[str, str]:
        """What an older builder is configured with, on its cluster's Kafka."""
        return {"KAFKA_BROKERS": brokers, "NEO4J_URI": self.neo4j.uri, "NEO4J_PASSWORD_FILE": str(self.neo4j.password_file)}

    def cypher(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        password = self.neo4j.password_file.read_text()
        with neo4j.GraphDatabase.driver(self.neo4j.uri, auth=(NEO4J_USER, password)) as driver:
            return [dict(record) for record in driver.execute_query(statement, parameters).records]


class OwnKafka(World):
    """The world of a cluster that has a Kafka of its own: topics and records there."""

    def __init__(self, stack: LocalStack, brokers: str) -> None:
        super().__init__(stack)
        self.brokers = brokers


class Mirror:
    """Copies one cluster's keyless topics to the shared ones, its name before each key, all else as it is."""

    def __init__(self, client_id: str, source: OwnKafka, target: World) -> None:
        self._client_id, self._source, self._target = client_id, source, target
        self._copied: set[Coordinates] = set()

    def copy(self, hold_back: Collection[bytes] = ()) -> int:
        """Copy what was not yet, but for records with these keys; how many."""
        held = held_records(KafkaTarget(self._source.brokers, "mirror"), TOPICS)
        new = [record for record in held if coordinates_of(record) not in self._copied and record.key not in hold_back]
        self._copied.update(map(coordinates_of, new))
        return self._target.produce([keyed(sample_of(record), self._client_id) for record in new])


def keyed(record: SampleRecord, client_id: str) -> SampleRecord:
    """The record as an agent with a `client.id` writes it."""
    return record._replace(key=f"{client_id}::".encode() + (record.key or b""))
