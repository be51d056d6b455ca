"""Asks Kafka, Neo4j, the Java side and this machine, and judges what they tell.

Nothing that anybody can see is changed: no record is produced, no offset committed, no topic made, no node kept. What could
not be asked because something else failed is skipped.
"""

import os
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

from runners.doctor import brokers, clocks, connector, deadletters, graph, groups, registry, settings, topics
from runners.doctor.machine import ARCHIVE
from runners.doctor.this_machine import check_kept, installed, machine_checks
from runners.doctor.verdict import Check, Status, refused, skipped
from transforms.io.answers import ProbeError
from transforms.io.dead_letters.writer import deadletter_topic
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_admin.lease_holder import is_dead_here
from transforms.io.graph_admin.probe import Neo4jProbe, Server
from transforms.io.kafka.offsets import CommittedPosition, KafkaOffsets, Place, ReadPlan
from transforms.io.kafka.probe import KafkaProbe, TopicDescription
from transforms.io.kafka.registry_target import RegistryTarget
from transforms.io.kafka.schema_registry import SchemaRegistry
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.target import Neo4jTarget
from transforms.model.schema import schema
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.tenancy.routes import topics_to_read
from transforms.steps.readers import BEAM

_OFFSETS_S: Final = 5.0
# An ordinary transaction ends sooner.
_HELD_LOOK_S: Final = 2.0
_NO_KAFKA: Final = "Kafka was not reached"
_NO_NEO4J: Final = "Neo4j was not reached"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined: where the job would run, as its own settings say."""

    kafka: KafkaTarget
    neo4j: Neo4jTarget
    topics: tuple[str, ...]
    letters: LetterPlace
    reader: str
    expansion_service: str = ""
    registry: RegistryTarget | None = None
    patterns: tuple[str, ...] = ()
    archive: str = ""
    topics_are_named: bool = False
    origin: str = ""

    def secret_files(self) -> list[str]:
        """The files of secrets that are used, by path."""
        login = [self.kafka.sasl_password.file] if self.kafka.uses_sasl else []
        registry = self.registry.password.file if self.registry and self.registry.user else ""
        return [path for path in (self.neo4j.password.file, *login, self.kafka.keypair_file, registry) if path]


def examine(subject: Subject) -> list[Check]:
    """Every check, in the order in which they are told; the servers are asked at once, each within seconds."""
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, subject) for ask in (kafka_checks, java_checks, registry_checks, neo4j_checks)]
        checks = [*settings.judge_settings(subject.origin, os.environ), *machine_checks(subject.secret_files()), *_kept_checks(subject)]
        return checks + [check for future in asked for check in future.result()]


def _kept_checks(subject: Subject) -> list[Check]:
    """Folders that the job would write to."""
    kept = ((deadletters.LETTERS, subject.letters.path, "--deadletter_path"), (ARCHIVE, subject.archive, "--archive"))
    return [check_kept(name, path, flag) for name, path, flag in kept if path]


def kafka_checks(subject: Subject) -> list[Check]:
    """Brokers, then topics, dead letters, the group and the clock."""
    try:
        inquiry = KafkaProbe(subject.kafka)
    except InfrastructureFault as fault:
        return [refused(brokers.BROKERS, fault.sentence), *_skip(_kafka_names(subject), _NO_KAFKA)]
    reached = brokers.judge_brokers(subject.kafka, inquiry.brokers())
    if reached.status is Status.FAILED:
        return [reached, *_skip(_kafka_names(subject), _NO_KAFKA)]
    names = _names(subject, inquiry)
    letters = subject.letters.topic
    told = inquiry.topics({*names, letters})
    configured = inquiry.settings(told)
    there = {name: one for name, one in told.items() if isinstance(one, TopicDescription)}
    making = None if letters in there or subject.letters.path else inquiry.could_make(deadletter_topic(letters))
    places = [(name, one.number) for name in names if name in there for one in there[name].partitions]
    group = groups.judge_group(subject.kafka.group, inquiry.group())
    return [
        reached,
        *(check for name in names for check in _judge_topic(subject, name, told[name], configured[name])),
        *topics.judge_any((told[name] for name in names), names),
        *(() if subject.letters.path else deadletters.judge_deadletters(letters, told[letters], configured[letters], making)),
        group,
        *_progress_checks(subject, names, group, inquiry),
        clocks.judge_kafka_clock(inquiry.newest(places) if places else {}, time.time()),
    ]


def _judge_topic(subject: Subject, name: str, told: TopicDescription | ProbeError, settings: dict[str, str] | ProbeError) -> list[Check]:
    must_exist = subject.topics_are_named and name in subject.topics
    return topics.judge_topic(name, told, settings, subject.patterns, must_exist=must_exist)


def _names(subject: Subject, inquiry: KafkaProbe) -> list[str]:
    """The topics that the job would read: those that are named, and those of clusters that are there now."""
    there = inquiry.names() if subject.patterns else []
    return topics_to_read(subject.topics, there, subject.patterns, subject.letters.topic)


def _kafka_names(subject: Subject) -> Iterable[str]:
    yield from (name for topic in subject.topics for name in topics.names_of(topic))
    letters = () if subject.letters.path else deadletters.NAMES
    yield from (*letters, groups.GROUP, groups.LAG, groups.HELD_BACK, groups.KEPT, clocks.KAFKA_CLOCK)


def _skip(names: Iterable[str], why: str) -> list[Check]:
    return [skipped(name, why) for name in names]


def _progress_checks(subject: Subject, names: list[str], group: Check, inquiry: KafkaProbe) -> list[Check]:
    """How far the group is, what is hidden from it, and for how long Kafka remembers."""
    if group.status is Status.FAILED:
        return _skip((groups.LAG, groups.HELD_BACK, groups.KEPT), "the consumer group cannot be used")
    plan = _plan(subject, names)
    return [groups.judge_lag(plan, subject.reader), groups.judge_held_back(plan), groups.judge_kept(inquiry.offsets_retention_s())]


def _plan(subject: Subject, names: Iterable[str]) -> ReadPlan | ProbeError:
    """What the job would read now, by its own reckoning; held back is what was so at two looks."""
    target = replace(subject.kafka, retry_s=_OFFSETS_S)
    try:
        with closing(KafkaOffsets(target)) as offsets:
            offsets.stands.remember(*_kept(subject))
            plan = offsets.plan(names)
            if not plan.held_back:
                return plan
            time.sleep(_HELD_LOOK_S)
            first = {(one.place, one.first) for one in plan.held_back}
            again = offsets.plan(names)
            return again._replace(held_back=tuple(one for one in again.held_back if (one.place, one.first) in first))
    except InfrastructureFault as fault:
        return ProbeError(fault.sentence)


def _kept(subject: Subject) -> tuple[dict[Place, CommittedPosition], float]:
    """Where the graph says that the group stood; nothing where it cannot be asked."""
    try:
        with closing(Neo4jProbe(subject.neo4j)) as inquiry:
            return inquiry.kept_offsets(subject.kafka.group)
    except InfrastructureFault:
        return {}, 0.0


def java_checks(subject: Subject) -> list[Check]:
    """The Java side, where the reader needs one."""
    if subject.reader != BEAM:
        return connector.not_needed(subject.reader)
    try:
        # Here, so that a Beam that cannot be imported is a check's finding and not this module's end.
        from runners.java_side import ask_version  # noqa: PLC0415

        told = ask_version(subject.expansion_service, subject.kafka)
    except ImportError as error:
        return _skip((connector.JAVA_SIDE, connector.BEAM), f"Beam cannot be imported ({error})")
    except InfrastructureFault as fault:
        return [refused(connector.JAVA_SIDE, fault.sentence), *_skip([connector.BEAM], "the Java side was not asked")]
    return connector.judge_java_side(subject.expansion_service, told, installed("apache-beam"))


def registry_checks(subject: Subject) -> list[Check]:
    """The schema registry; nothing is told where none is configured."""
    if subject.registry is None:
        return []
    try:
        with closing(SchemaRegistry(replace(subject.registry, retry_s=0))) as asked:
            asked.ping()
    except InfrastructureFault as fault:
        return [refused(registry.REGISTRY, fault.sentence)]
    return [registry.answered(subject.registry.url)]


def neo4j_checks(subject: Subject) -> list[Check]:
    """The server, then its version, the database, the schema, the lease and the clock."""
    target = subject.neo4j
    if wrong := graph.judge_uri(target.uri):
        return [wrong, *_skip(_NEO4J_NAMES, _NO_NEO4J)]
    try:
        inquiry = Neo4jProbe(target)
    except InfrastructureFault as fault:
        return [refused(graph.SERVER, fault.sentence), *_skip(_NEO4J_NAMES, _NO_NEO4J)]
    with closing(inquiry):
        server = inquiry.server()
        reached = graph.judge_server(target, server)
        if not isinstance(server, Server):
            return [reached, *_skip(_NEO4J_NAMES, _NO_NEO4J)]
        database = graph.judge_database(target.database, inquiry.database())
        above = [reached, graph.judge_version(server), database]
        if database.status is Status.FAILED:
            return [*above, *_skip(_DATABASE_NAMES, f"the database {target.database} cannot be used")]
        return [*above, *_database_checks(subject, inquiry)]


_DATABASE_NAMES: Final = (graph.WRITING, graph.SCHEMA, graph.SIZES, groups.LEASE, clocks.NEO4J_CLOCK)
_NEO4J_NAMES: Final = (graph.VERSION, graph.DATABASE, *_DATABASE_NAMES)


def _database_checks(subject: Subject, inquiry: Neo4jProbe) -> list[Check]:
    return [
        graph.judge_writing(subject.neo4j, inquiry.writing()),
        graph.judge_schema(schema(), inquiry.indexes()),
        graph.judge_sizes(inquiry.sizes()),
        groups.judge_lease(subject.kafka.group, inquiry.lease(subject.kafka.group), time.time(), is_dead_here),
        clocks.judge_neo4j_clock(inquiry.clock()),
    ]
