"""The same cases through Kafka, the job and Neo4j: what it comes to there must be what it comes to in one process."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from scripts.sampling.produce import ensure_topics, produce
from scripts.sampling.record import SampleRecord
from scripts.scoring.cases import Case, records
from transforms.io.neo4j.incident_store import IncidentStore
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.neo4j.target import Neo4jTarget
from transforms.planning.causes.explain import kind_of
from transforms.planning.causes.incidents import Analysis

_JOB = (sys.executable, "-m", "pipelines.graph_build")


def run_job() -> None:
    """Run the job over what Kafka holds, with the environment's settings; CalledProcessError where it fails."""
    subprocess.run(_JOB, check=True, stdout=subprocess.DEVNULL)


def analyses(listed: Sequence[Case], brokers: str, target: Neo4jTarget, job: Callable[[], object] = run_job) -> list[Analysis]:
    """Each case's analysis of the graph in Neo4j once the job has read its records from Kafka."""
    tenants, played = [], []
    for case in listed:
        held = list(records(case))
        tenants.append((held[0].key or b"").partition(b"::")[0].decode())
        played += [SampleRecord(one.topic, one.key, one.value, one.timestamp_ms) for one in held]
    ensure_topics(brokers)
    produce(brokers, played)
    job()
    with closing(Neo4jGraphStore(target)) as store:
        analyst = IncidentStore(store)
        return [analyst.look(client_id) for client_id in tenants]


def told(analysis: Analysis) -> dict[str, Any]:
    """What an analysis says, without where the records lay: the order and the scores of the objects, and the incidents."""
    return {
        "scored": [(one.rid, round(one.score, 6)) for one in analysis.scored],
        "incidents": [(one.iid, one.aliases, one.state, one.root.rid, kind_of(one), one.opened, one.last) for one in analysis.incidents],
    }
