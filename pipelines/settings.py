"""All settings of a run in one frozen value; steps take the few that they use."""

from dataclasses import dataclass
from typing import Protocol

from pipelines.options.failures import FailureOptions
from pipelines.options.flow import WriteOptions
from pipelines.options.kafka import KafkaOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from transforms.io.kafka_target import KafkaTarget
from transforms.io.neo4j_target import Neo4jTarget
from transforms.io.registry_target import RegistryTarget
from transforms.records.failures import Families


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """What the flow from Decode on needs, whoever reads.

    client_id: single-tenant mode, "" for all tenants. writes: how the graph is written.
    failure_patterns: families of failures in lines of logs, before the declared ones.
    registry: None where there is none.
    """

    kafka: KafkaTarget
    neo4j: Neo4jTarget
    deadletter_topic: str
    client_id: str
    legacy_topics: frozenset[str]
    writes: WriteOptions
    failure_patterns: Families = ()
    registry: RegistryTarget | None = None


class TenantSource(Protocol):
    """Options that say whose records are taken in, whatever their flags are called."""

    def tenant(self) -> str: ...

    def legacy_topics(self) -> frozenset[str]: ...


def flow_settings(
    kafka: KafkaOptions,
    neo4j: Neo4jOptions,
    deadletter_topic: str,
    tenants: TenantSource,
    writes: WriteOptions,
    failures: FailureOptions,
    registry: RegistryOptions,
) -> FlowSettings:
    """The settings that the groups of options come to; an error of use where one of them cannot be used."""
    return FlowSettings(
        kafka=kafka.target(),
        neo4j=neo4j.target(),
        deadletter_topic=deadletter_topic,
        client_id=tenants.tenant(),
        legacy_topics=tenants.legacy_topics(),
        writes=writes,
        failure_patterns=failures.families(),
        registry=registry.target(),
    )


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a run of the job needs beside.

    reader: `beam` or `bounded`. expansion_service: host:port of the Java side, "" where the reader needs none.
    """

    flow: FlowSettings
    topics: tuple[str, ...]
    reader: str
    expansion_service: str
    slice_bytes: int
    slice_s: float
    lease_s: float
