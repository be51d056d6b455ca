"""The raw clients' rates: what Kafka and Neo4j give here to whoever does nothing else."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import neo4j
from confluent_kafka import Consumer, KafkaError, TopicPartition

from scripts.sampling.record import SampleRecord
from transforms.io.neo4j.rows import Write, writes
from transforms.io.neo4j.target import Neo4jTarget
from transforms.planning.interpret.dispatch import interpret
from transforms.planning.merge.batches import cut_batches
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.planning.merge.plan import plan_batch
from transforms.records.decode import decode_record
from transforms.records.record import KafkaRecord
from transforms.testing.memory_graph import MemoryTenant

_CHUNK: Final = 1000
Transactions = list[tuple[str, list[Write]]]


class Floor(NamedTuple):
    """What one thread needs that polls records and decodes their JSON, the client's own threads included."""

    records: int
    cpu_s_per_million: float
    messages_per_s: float


def consume_rate(brokers: str, topics: Iterable[str]) -> tuple[int, float]:
    """How many records the topics hold, and how many confluent-kafka consumes of them in a second."""
    started = time.perf_counter()
    records = sum(1 for _ in _values(brokers, topics))
    return records, records / (time.perf_counter() - started)


def floor_of(brokers: str, topics: Iterable[str]) -> Floor:
    """The floor of all that the topics hold."""
    decode = msgspec.json.decode
    cpu, started, records = time.process_time(), time.perf_counter(), 0
    for value in _values(brokers, topics):
        decode(value)
        records += 1
    return Floor(records, (time.process_time() - cpu) * 1e6 / records, records / (time.perf_counter() - started))


def _values(brokers: str, topics: Iterable[str]) -> Iterator[bytes]:
    """The values of all records that the topics hold."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "bench-raw", "enable.partition.eof": True, "enable.auto.commit": False})
    try:
        known = consumer.list_topics(timeout=10).topics
        places = [TopicPartition(topic, partition, 0) for topic in topics if topic in known for partition in known[topic].partitions]
        consumer.assign(places)
        ended = 0
        while ended < len(places):
            for message in consumer.consume(_CHUNK, 0.05):
                error = message.error()
                value = message.value()
                if error is None and value is not None:
                    yield value
                elif error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    ended += 1
    finally:
        consumer.close()


def folded_by_tenant(records: Iterable[SampleRecord]) -> dict[str, Folded]:
    """What the records mean, folded, by tenant; by the job's own decoder and interpretation."""
    held: dict[str, Folded] = {}
    for at, one in enumerate(records):
        record = KafkaRecord(one.topic, 0, at, one.timestamp_ms, one.key, one.value, one.headers)
        decoded = decode_record(record)
        assert decoded.body is not None
        assert decoded.key.client_id is not None
        client_id = decoded.key.client_id
        mutations = interpret(one.topic, decoded.body, client_id, decoded.ver, raw_key=decoded.key.raw)
        fold(held.setdefault(client_id, {}), [Interpreted(mutation, record) for mutation in mutations])
    return held


def transactions_of(records: Iterable[SampleRecord], batch_rows: int, batch_bytes: int) -> Transactions:
    """The transactions that the job makes of the records, on an empty graph: the very statements and rows."""
    found: Transactions = []
    for client_id, folded in folded_by_tenant(records).items():
        tenant = MemoryTenant(client_id)
        for batch, _, _ in cut_batches(list(folded.values()), batch_rows, batch_bytes):
            changes = plan_batch(tenant, client_id, [one.mutation for one in batch]).changes
            found.append((client_id, list(writes(client_id, changes))))
            tenant.write(changes)
    return found


def write_rate(target: Neo4jTarget, transactions: Transactions) -> tuple[int, float]:
    """How many rows there are, and how many the driver writes of them in a second."""
    rows = sum(len(one.rows) for _, batch in transactions for one in batch)
    with target.open() as driver, driver.session(database=target.database) as session:
        session.run("RETURN 1").consume()
        started = time.perf_counter()
        for _, batch in transactions:
            session.execute_write(_write, batch)
        return rows, rows / (time.perf_counter() - started)


def _write(tx: neo4j.ManagedTransaction, batch: Sequence[Write]) -> None:
    for one in batch:
        tx.run(one.statement, rows=one.rows).consume()
