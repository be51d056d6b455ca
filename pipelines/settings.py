"""All settings of a run in one frozen value; steps take the few that they use."""

from dataclasses import dataclass

from pipelines.options.flow import WriteOptions
from transforms.io.kafka_target import KafkaTarget
from transforms.io.neo4j_target import Neo4jTarget
from transforms.io.registry_target import RegistryTarget
from transforms.records.failures import Families


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """What the flow from Decode on needs, whoever reads.

    client_id: single-tenant mode, "" for all tenants. writes: how the graph is written.
    failure_patterns: families of failures in lines of logs, before the declared ones.
    registry: None where there is none. released: tenants that are set aside are taken in all the same, as a replay does.
    """

    kafka: KafkaTarget
    neo4j: Neo4jTarget
    deadletter_topic: str
    client_id: str
    legacy_topics: frozenset[str]
    writes: WriteOptions
    failure_patterns: Families = ()
    registry: RegistryTarget | None = None
    released: bool = False


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
