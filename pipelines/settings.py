"""All settings of a run in one frozen value; steps take the few that they use."""

from dataclasses import dataclass

from pipelines.options.failures import FailureOptions
from pipelines.options.flow import WriteOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.tenants import RouteOptions
from transforms.io.kafka.registry_target import RegistryTarget
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.target import Neo4jTarget
from transforms.planning.lifecycle.liveness import DEFAULT_LIMITS, Limits
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.logs.failures import Families
from transforms.records.tenancy.tenant import TenantRules
from transforms.steps.arrival import ArrivalWindow


@dataclass(frozen=True, slots=True)
class FlowSettings:
    """What the flow from Decode on needs, whoever reads.

    letters: where rejects go. tenants: whose records are taken in. patterns: of topics that belong to one cluster each. limits: of silence.
    live: the records are those of now, and so signs of life; those of a replay are not. writes: how the graph is written.
    failure_patterns: families of failures in lines of logs, before the declared ones.
    window: in a stream; None where each slice is one window.
    registry: None where there is none. released: tenants that are in quarantine are taken in all the same, as a replay does.
    archive: where the raw records are kept beside; "" keeps none. in_one_process: the runner works in this process alone.
    paced: whoever runs the slices analyses what they left for later (`AnalyzeIncidents`).
    """

    kafka: KafkaTarget
    neo4j: Neo4jTarget
    letters: LetterPlace
    tenants: TenantRules
    patterns: tuple[str, ...]
    legacy_topics: frozenset[str]
    writes: WriteOptions
    failure_patterns: Families = ()
    registry: RegistryTarget | None = None
    limits: Limits = DEFAULT_LIMITS
    live: bool = True
    released: bool = False
    window: ArrivalWindow | None = None
    archive: str = ""
    in_one_process: bool = False
    paced: bool = False


def flow_settings(
    kafka: KafkaTarget,
    neo4j: Neo4jTarget,
    letters: LetterPlace,
    tenants: TenantRules,
    routes: RouteOptions,
    writes: WriteOptions,
    failures: FailureOptions,
    registry: RegistryOptions,
) -> FlowSettings:
    """The settings that the targets and the groups of options come to; an error of use where one of them cannot be used."""
    # Asked for when records arrive, which is too late to say that the words are wrong.
    writes.wants_incidents()
    writes.wants_calls()
    return FlowSettings(
        kafka=kafka,
        neo4j=neo4j,
        letters=letters,
        tenants=tenants,
        patterns=routes.patterns(),
        legacy_topics=routes.legacy_topics(),
        writes=writes,
        failure_patterns=failures.families(),
        registry=registry.target(),
    )


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What a run of the job needs beside.

    reader: `beam` or `bounded`. expansion_service: host:port of the Java side, "" where the reader needs none.
    topics_are_named: one by one, so that each must exist. origin: where the servers' addresses come from, in words.
    """

    flow: FlowSettings
    topics: tuple[str, ...]
    reader: str
    expansion_service: str
    slice_bytes: int
    slice_s: float
    lease_s: float
    topics_are_named: bool = False
    origin: str = "named"
