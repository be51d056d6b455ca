"""Two whole clusters that no one here made, with the same names in both."""

from collections import Counter

import pytest

from tests.support.real_data import FOLDER, events, objects, record
from tests.system.world import World
from tests.unit.real.test_dumps import expected_topology
from transforms.model.graph import CALLS

pytestmark = pytest.mark.skipif(not (FOLDER / "openshift-aws").is_dir(), reason=f"the real dumps are not in {FOLDER}")

DUMPS = {"aws-1": "openshift-aws", "azure-1": "openshift-azure"}


def test_every_named_object_of_both_clusters_is_one_node_of_its_tenant(world: World) -> None:
    dumps = {client_id: objects(dump) for client_id, dump in DUMPS.items()}
    triples = {
        client_id: Counter((item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]) for item in items)
        for client_id, items in dumps.items()
    }
    world.produce([record(client_id, item) for client_id, items in dumps.items() for item in items])

    report = world.run_job()

    assert report["rejected"] == 0
    for client_id, expected in triples.items():
        assert max(expected.values()) == 1
        assert report["tenants"][client_id]["written"] == len(expected)
        found = world.cypher(
            "MATCH (n:Resource {client_id: $client_id}) WHERE n.stub IS NULL "
            "RETURN n.kind AS kind, coalesce(n.ns, '') AS ns, n.name AS name",
            client_id=client_id,
        )
        assert Counter((row["kind"], row["ns"], row["name"]) for row in found) == expected
    in_both = triples["aws-1"].keys() & triples["azure-1"].keys()
    assert len(in_both) == 758
    shared = world.cypher(
        "MATCH (a:Resource {client_id: 'aws-1'}) MATCH (b:Resource {client_id: 'azure-1', rid: a.rid}) "
        "WHERE a.stub IS NULL AND b.stub IS NULL "
        "RETURN count(*) AS both, sum(CASE WHEN a.uid = b.uid THEN 1 ELSE 0 END) AS `same uid`"
    )
    assert shared == [{"both": 758, "same uid": 0}]
    assert world.cypher("MATCH (a)-[r]->(b) WHERE a.client_id <> b.client_id RETURN count(*) AS crossing") == [{"crossing": 0}]


def test_relationships_and_episodes_of_both_clusters_are_what_the_dumps_say(world: World) -> None:
    dumps = {client_id: [*objects(dump), *events(dump)] for client_id, dump in DUMPS.items()}
    world.produce([record(client_id, item) for client_id, items in dumps.items() for item in items])

    report = world.run_job()

    assert report["rejected"] == 0
    for client_id, items in dumps.items():
        expected = Counter(triple[0] for triple in expected_topology([item for item in items if item["kind"] != "Event"]))
        found = world.cypher(
            "MATCH (:Resource {client_id: $client_id})-[r]->(:Resource {client_id: $client_id}) RETURN type(r) AS type, count(*) AS number",
            client_id=client_id,
        )
        # Calls are found in the values of environments, which the reading here does not look at.
        assert {row["type"]: row["number"] for row in found if row["type"] != CALLS.type} == expected
        episodes = world.cypher(
            "MATCH (e:Episodic {client_id: $client_id, etype: 'k8s.event'}) RETURN count(e) AS number", client_id=client_id
        )
        assert episodes == [{"number": len({item["metadata"]["uid"] for item in items if item["kind"] == "Event"})}]
    before = world.digests()
    world.produce([record(client_id, item) for client_id, items in dumps.items() for item in reversed(items)])
    assert world.run_job()["written"] == 0
    assert world.digests() == before
