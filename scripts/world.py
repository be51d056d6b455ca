"""What faults and system tests do to the real stack and ask of it, each in one call."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import neo4j
from confluent_kafka import KafkaError, KafkaException

from runners.local.stack import LocalStack
from scripts.faulting.topics import admin, forget_offsets
from scripts.sampling.produce import TOPICS, ensure_topics, produce
from scripts.sampling.record import SampleRecord
from scripts.topic_messages import read_messages
from transforms.io.kafka.offsets import KafkaOffsets
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.records.dead_letters.selection import REPLAYED

DEADLETTERS = "graph.deadletter"
GROUP = "graph-build"
# In pieces: a graph that a benchmark made does not fit into one transaction.
_EMPTY = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS"
CHECKOUT = Path(__file__).resolve().parents[1]
_END_S = 300.0


class Process(Protocol):
    """A command that has begun, as `subprocess.Popen` gives it."""

    @property
    def pid(self) -> int: ...

    @property
    def stdout(self) -> IO[str] | None: ...

    @property
    def returncode(self) -> int | Any: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]: ...

    def send_signal(self, sig: int, /) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


# Starts a module with arguments and an environment; the last says where its standard error goes, as for a process.
Launch = Callable[[str, Sequence[str], dict[str, str], int | IO[str]], Process]


def spawn(module: str, arguments: Sequence[str], environment: dict[str, str], stderr: int | IO[str]) -> Process:
    """A command as a person starts it."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=CHECKOUT, env=environment, text=True, stdout=subprocess.PIPE, stderr=stderr)


class World:
    """A running local stack; `clear` makes it empty, as every test and every round of a fault begins.

    launch: starts the commands.
    """

    def __init__(self, stack: LocalStack, launch: Launch = spawn) -> None:
        self.stack = stack
        self._launch = launch
        self.brokers = stack.kafka.brokers
        self._graph: neo4j.Driver | None = None

    # Targets

    @property
    def neo4j_target(self) -> Neo4jTarget:
        return Neo4jTarget(self.stack.neo4j.uri, "neo4j", Secret(file=str(self.stack.neo4j.password_file)), retry_s=5)

    @property
    def kafka_target(self) -> KafkaTarget:
        return KafkaTarget(self.brokers, GROUP)

    def close(self) -> None:
        if self._graph is not None:
            self._graph.close()

    # Kafka

    def clear(self) -> None:
        """Empty topics, no committed offsets, an empty graph."""
        client = admin(self.brokers)
        names = [name for name in client.list_topics(timeout=10).topics if not name.startswith("_")]
        for deleted in (client.delete_topics(names) if names else {}).values():
            deleted.result()
        for group in client.list_consumer_groups().result().valid:
            forget_offsets(self.brokers, group.group_id)
        self.make_topics()
        self.clear_graph()

    def clear_graph(self) -> None:
        """An empty graph; constraints and indexes stay."""
        with self.graph.session() as session:
            session.run(_EMPTY).consume()

    def make_topics(self) -> None:
        """Make the topics that are missing; returns when the broker knows them all."""
        limit = time.monotonic() + 30
        while True:
            try:
                ensure_topics(self.brokers, [*TOPICS])
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS or time.monotonic() > limit:
                    raise
            known = admin(self.brokers).list_topics(timeout=10).topics
            if all(topic in known and known[topic].error is None for topic in TOPICS):
                return
            assert time.monotonic() < limit, "Kafka did not make the topics in 30 s"

    def produce(self, records: Iterable[SampleRecord]) -> int:
        return produce(self.brokers, records)

    def read_topic(self, topic: str) -> list[dict[str, Any]]:
        """Every message of a topic as JSON, with `message_key`."""
        return [json.loads(message.value() or b"null") | {"message_key": message.key()} for message in read_messages(self.brokers, topic)]

    def deadletters(self) -> list[dict[str, Any]]:
        """The dead letters, without the marks of those that were replayed."""
        return [one for one in self.read_topic(DEADLETTERS) if one.get("reason") != REPLAYED]

    def held(self) -> dict[tuple[str, int], int]:
        """Where each partition that holds a record ends."""
        offsets = KafkaOffsets(self.kafka_target)
        try:
            return {one.place: one.end for one in offsets.plan(TOPICS).ranges}
        finally:
            offsets.close()

    def committed(self) -> dict[tuple[str, int], int]:
        offsets = KafkaOffsets(self.kafka_target)
        try:
            return offsets.committed((topic, partition) for topic in TOPICS for partition in range(4))
        finally:
            offsets.close()

    # The job

    def environment(self, **more: str) -> dict[str, str]:
        ours = ("KAFKA_", "NEO4J_", "CLIENT_ID", "SINGLE_TENANT", "FAILURE_PATTERNS", "ARCHIVE", "DEADLETTER_", "SCHEMA_REGISTRY_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**kept, **more}

    def start_job(self, *flags: str, **environment: str) -> Process:
        """The job that has begun; by the reader that takes the least time, where the flags name none."""
        return self.start("pipelines.graph_build", "--runner=DirectRunner", "--json", "--kafka_reader=bounded", *flags, **environment)

    def start(self, module: str, *arguments: str, **environment: str) -> Process:
        """A command that has begun."""
        return self.open(module, arguments, environment, subprocess.PIPE)

    def open(self, module: str, arguments: Sequence[str], environment: dict[str, str], stderr: int | IO[str]) -> Process:
        """A command that has begun; what it says goes to `stderr`, as of a process."""
        return self._launch(module, arguments, self.environment(**environment), stderr)

    def run_job(self, *flags: str, expect: int = 0, **environment: str) -> dict[str, Any]:
        """The object that the job prints; what it says on stderr is under "stderr"."""
        done = self._ended(self.start_job(*flags, **environment), expect)
        return (json.loads(done.stdout) if done.stdout.strip() else {}) | {"stderr": done.stderr}

    def run(self, module: str, *arguments: str, expect: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        return self._ended(self.start(module, *arguments, **environment), expect)

    def _ended(self, process: Process, expect: int) -> subprocess.CompletedProcess[str]:
        try:
            out, err = process.communicate(timeout=_END_S)
        finally:
            process.kill()
        assert process.returncode == expect, f"exit code {process.returncode}, expected {expect}:\n{out[-3000:]}\n{err[-3000:]}"
        return subprocess.CompletedProcess((), process.returncode, out, err)

    # The graph

    @property
    def graph(self) -> neo4j.Driver:
        if self._graph is None:
            password = self.stack.neo4j.password_file.read_text()
            self._graph = neo4j.GraphDatabase.driver(self.stack.neo4j.uri, auth=("neo4j", password))
        return self._graph

    def cypher(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        return [dict(record) for record in self.graph.execute_query(statement, parameters).records]

    def digests(self) -> dict[str, str]:
        store = Neo4jGraphStore(self.neo4j_target)
        try:
            return {tenant: store.digest(tenant).hexdigest() for tenant in store.tenants()}
        finally:
            store.close()
