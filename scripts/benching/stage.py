"""The stack that the benchmark runs on, empty before every measurement."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from runners.local.endpoints import STACK_DIR_VARIABLE, stack_dir
from runners.local.stack import LocalStack, free_ports
from scripts.benching.traffic import UPSTREAM
from scripts.sampling.produce import ensure_topics, produce
from scripts.sampling.record import COMMANDS, SampleRecord
from transforms.io.neo4j_graph import Neo4jGraphStore
from transforms.io.neo4j_target import Neo4jTarget
from transforms.io.secrets import Secret

TOPICS: Final = (*UPSTREAM, COMMANDS)
_GONE_S: Final = 30.0
_EMPTY: Final = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"


class Stage:
    """Kafka, Neo4j and the Java side of the connector, of the benchmark's own."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self._stack = stack
        self.brokers = stack.kafka.brokers
        self.neo4j = Neo4jTarget(stack.neo4j.uri, "neo4j", Secret(file=str(stack.neo4j.password_file)))
        # What the job's process needs to find the stack; whatever else is configured here does not count.
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(("KAFKA_", "NEO4J_", "CLIENT_ID"))}
        self.environment[STACK_DIR_VARIABLE] = str(folder)

    @property
    def connector(self) -> psutil.Process | None:
        """The Java side of the connector, whose work the beam reader causes."""
        return self._stack.connector.process.find()

    def clear(self) -> None:
        """Empty topics, an empty graph with its constraints."""
        admin = AdminClient({"bootstrap.servers": self.brokers})
        names = [name for name in admin.list_topics(timeout=10).topics if not name.startswith("_")]
        for deleted in (admin.delete_topics(names) if names else {}).values():
            deleted.result()
        self._make_topics(admin)
        self.clear_graph()

    def _make_topics(self, admin: AdminClient) -> None:
        """Kafka goes on deleting for a moment after it has said that a topic is gone."""
        limit = time.monotonic() + _GONE_S
        while not self._are_made(admin):
            try:
                ensure_topics(self.brokers, TOPICS)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS or time.monotonic() > limit:
                    raise

    @staticmethod
    def _are_made(admin: AdminClient) -> bool:
        known = admin.list_topics(timeout=10).topics
        return all(topic in known and known[topic].error is None for topic in TOPICS)

    def clear_graph(self) -> None:
        with self.neo4j.open() as driver, driver.session() as session:
            session.run(_EMPTY).consume()
        store = Neo4jGraphStore(self.neo4j)
        try:
            store.ensure_schema()
        finally:
            store.close()

    def produce(self, records: Iterable[SampleRecord]) -> int:
        return produce(self.brokers, records)


@contextmanager
def stage() -> Iterator[Stage]:
    """A stack on free ports, its data in a folder of its own; down again at the end."""
    home = stack_dir()
    folder = home / "bench"
    stack = LocalStack(folder, free_ports(), home / "java")
    stack.reset()
    try:
        stack.up()
        yield Stage(stack, folder)
    finally:
        stack.down()
