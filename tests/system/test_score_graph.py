"""Labelled incidents through Kafka, the job and Neo4j come to what they come to in one process."""

import pytest

from scripts.scoring.cases import cases, rows_of
from scripts.scoring.graph import analyses, told
from tests.system.world import World
from tests.unit.scripts.test_labelled import FOLDER
from transforms.planning.causes.incidents import analyse

CASES = 8


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is no folder of labelled incidents; LABELLED_CASES names another")
def test_eight_cases_come_to_the_same_in_one_process_and_through_kafka_job_and_neo4j(world: World) -> None:
    listed = cases(FOLDER)
    chosen = listed[:: len(listed) // CASES][:CASES]
    found = analyses(chosen, world.brokers, world.neo4j_target, world.run_job)
    for case, analysis in zip(chosen, found, strict=True):
        assert told(analysis) == told(analyse(*rows_of(case))), case.name
    held = world.cypher("MATCH (i:Incident) RETURN i.iid AS iid")
    assert {row["iid"] for row in held} == {one.iid for analysis in found for one in analysis.incidents}
