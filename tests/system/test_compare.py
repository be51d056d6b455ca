"""`tenants compare` on real Neo4j: renamed tenants, an older builder's graph by the mapping in the documentation, order and pages."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.system.world import CHECKOUT, World
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_admin.compare import Pair, compare_tenant
from transforms.io.graph_admin.compared_graphs import MappedSide, OwnSide
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model.graph import RESOURCE
from transforms.model.graph_mapping import parse_mapping
from transforms.planning.diff.comparison import Line
from transforms.planning.facts.mutations import Mutation, UpsertEdge, UpsertNode, UpsertReferrer
from transforms.planning.facts.values import digest_of
from transforms.records.record import make_ver

EXAMPLE = CHECKOUT / "docs" / "old-builder.toml"
OLD, NEW = "old-10", "af-10"
BY_RID = {"tenant": "client_id", "nodes": {"Resource": {"label": "Resource", "key": "{rid}"}}}


def compare(world: World, *arguments: str, left: str = "/neo4j", right: str = "/neo4j", expect: int = 0) -> dict[str, Any]:
    """The object that the command prints."""
    out = world.run("pipelines.tenants", "compare", f"--left={left}", f"--right={right}", "--json", *arguments, expect=expect).stdout
    found: dict[str, Any] = json.loads(out)
    return found


def ver(t: int) -> str:
    return make_ver(t, "t", 0, t)


def pod(tenant: str, name: str, **more: Any) -> UpsertNode:
    props = {"kind": "Pod", "ns": "shop", "name": name, "uid": f"u-{name}", "image": "web:1", **more}
    return UpsertNode(tenant, ver(5), f"pod:shop:{name}", f"u-{name}", props, digest_of(props))


def node(tenant: str) -> UpsertNode:
    props = {"kind": "Node", "name": "n1", "uid": "u-n1"}
    return UpsertNode(tenant, ver(5), "node::n1", "u-n1", props, digest_of(props))


def runs_on(tenant: str, name: str) -> UpsertEdge:
    return UpsertEdge(tenant, ver(5), f"edge:{name}", "RUNS_ON", f"pod:shop:{name}", "node::n1")


def episode(tenant: str) -> UpsertReferrer:
    props = {"message": "it began", "subject": "pod:shop:a"}
    return UpsertReferrer(tenant, ver(6), "Episodic", "e1", "pod:shop:a", props, digest_of(props))


def write(store: Neo4jGraphStore, *mutations: Mutation) -> None:
    store.write_batch(mutations[0].client_id, mutations)


def test_a_renamed_tenant_is_equal_until_something_differs(world: World, store: Neo4jGraphStore) -> None:
    for tenant in ("af-10", "eu-1"):
        write(store, pod(tenant, "a"), pod(tenant, "b"), node(tenant), runs_on(tenant, "a"), episode(tenant))
    names = ("--left_client_id=af-10", "--right_client_id=eu-1")

    (equal,) = compare(world, *names)["tenants"]

    digests = json.loads(world.run("pipelines.tenants", "digest", "--json").stdout)["tenants"]
    assert equal["left"] == {"client_id": "af-10", **digests["af-10"]}
    assert equal["right"] == {"client_id": "eu-1", **digests["eu-1"]}
    assert (equal["equal"], equal["left"]["nodes"], equal["left"]["relationships"]) == (True, 4, 2)

    world.cypher("MATCH (n:Pod {client_id: 'eu-1', name: 'a'}) SET n.image = 'web:2'")
    world.cypher("MATCH (n:Pod {client_id: 'eu-1', name: 'b'}) DETACH DELETE n")
    world.cypher("MATCH (:Pod {client_id: 'af-10'})-[r:RUNS_ON]->() DELETE r")
    (found,) = compare(world, *names, expect=1)["tenants"]
    assert found["equal"] is False
    assert found["node_examples"] == [
        {
            "where": "differing",
            "label": "Resource",
            "key": "pod:shop:a",
            "properties": [{"name": "image", "left": "web:1", "right": "web:2", "withheld": False}],
        },
        {"where": "only_left", "label": "Resource", "key": "pod:shop:b"},
    ]
    assert found["relationship_examples"] == [{"where": "only_right", "type": "RUNS_ON", "from": "pod:shop:a", "to": "node::n1"}]


def test_all_tenants_of_both_sides_are_compared_and_one_may_be_missing(world: World, store: Neo4jGraphStore) -> None:
    write(store, pod("af-10", "a"))
    write(store, pod("af-11", "a"))

    found = compare(world)

    assert [(one["left"]["client_id"], one["equal"]) for one in found["tenants"]] == [("af-10", True), ("af-11", True)]
    (missing,) = compare(world, "--left_client_id=af-10", "--right_client_id=nobody", expect=1)["tenants"]
    assert (missing["nodes"]["only_left"], missing["right"]["nodes"]) == (1, 0)


def test_nothing_is_never_equal_to_nothing(world: World) -> None:
    said = world.run("pipelines.tenants", "compare", "--left=/neo4j", "--right=/neo4j", expect=1).stderr
    assert said == "Neither graph holds a tenant, so there is nothing to compare; check --left, --right and the tenant.\n"
    said = world.run("pipelines.tenants", "compare", "--left=/neo4j", "--right=/neo4j", "--client_id=af-10", expect=1).stderr
    assert said.startswith("Neither graph holds a node of af-10, so there is nothing to compare")


def test_a_database_that_is_not_there_is_told_in_one_sentence(world: World) -> None:
    said = world.run("pipelines.tenants", "compare", "--left=/gone", "--right=/neo4j", expect=1).stderr

    assert said.startswith(f"The left graph, gone at {world.stack.neo4j.uri}, cannot be read (")
    assert said.count("\n") == 1


def chain(world: World, keys: list[str]) -> None:
    """A node of each key, each with a relationship to the next."""
    world.cypher(
        "UNWIND $keys AS key CREATE (n:Resource {client_id: 'af-10', rid: key}) WITH collect(n) AS held "
        "UNWIND range(0, size(held) - 2) AS at WITH held[at] AS a, held[at + 1] AS b CREATE (a)-[:RUNS_ON]->(b)",
        keys=keys,
    )


def read(side: OwnSide | MappedSide) -> list[Line]:
    try:
        return list(side.nodes(RESOURCE, "af-10"))
    finally:
        side.close()


# What a graph's order could get wrong: UTF-16 puts the emoji before U+FFEE, alphabets put é beside e.
NAMES = ("z", "é", "😀", "Z", "-", ":")


def test_both_kinds_of_graph_are_read_in_one_order_over_many_pages(world: World, store: Neo4jGraphStore) -> None:
    keys = sorted(f"pod:shop:{name}{at}" for name in NAMES for at in range(1800))
    chain(world, keys)
    mapping = parse_mapping(BY_RID | {"relationships": {"RUNS_ON": "RUNS_ON"}})

    for side in (OwnSide("left", world.neo4j_target), MappedSide("left", world.neo4j_target, mapping)):
        lines = read(side)
        assert [line.key for line in lines] == keys
        assert [[begins.key for begins in line.out] for line in lines] == [[key] for key in keys[1:]] + [[]]


def test_an_own_graph_is_read_in_one_order_and_counted_once_whatever_its_keys_are(world: World, store: Neo4jGraphStore) -> None:
    keys = sorted(f"pod:shop:{name}{at}" for name in (*NAMES, "\uffee") for at in range(1600))
    chain(world, keys)

    lines = read(OwnSide("left", world.neo4j_target))

    assert [line.key for line in lines] == keys
    assert store.digest("af-10").nodes == len(keys)


def test_an_older_graph_whose_order_cannot_be_followed_is_a_fault_and_never_a_difference(world: World, store: Neo4jGraphStore) -> None:
    chain(world, ["pod:shop:😀", "pod:shop:\uffee"])
    mapping = parse_mapping(BY_RID)
    sides = MappedSide("left", world.neo4j_target, mapping), OwnSide("right", world.neo4j_target, mapping)

    with pytest.raises(InfrastructureFault, match="not in the order of its keys"):
        compare_tenant(*sides, Pair("af-10", "af-10"), mapping, 20, lambda _number: None)
    for side in sides:
        side.close()


def old_graph(world: World, label: str = "Resource", **tenant: str) -> None:
    """What the older builder in mind makes: key fields, JSON texts, types of its own, and no versions."""
    rows = [
        {"kind": "Pod", "ns": "shop", "name": "a", "uid": "u-a", "image": "web:1", "nodeName": "n1", "labels": '{"app":"web","a":"1"}'},
        {"kind": "Pod", "ns": "shop", "name": "b", "uid": "u-b", "image": "web:1", "status": '{"phase":"Running","ip":"10.0.0.1"}'},
        {"kind": "Node", "ns": "", "name": "n1", "uid": "u-n1", "lastSeen": 7},
        {"kind": "ReplicaSet", "ns": "shop", "name": "rs", "uid": "u-rs"},
    ]
    world.cypher(f"UNWIND $rows AS row CREATE (n:{label}) SET n = row, n += $tenant", rows=rows, tenant=tenant)
    world.cypher(
        f"MATCH (p:{label} {{name: 'a', uid: 'u-a'}}), (n:{label} {{name: 'n1', uid: 'u-n1'}}), (r:{label} {{name: 'rs', uid: 'u-rs'}}) "
        "WHERE p.rid IS NULL AND n.rid IS NULL AND r.rid IS NULL CREATE (p)-[:RUNS_ON]->(n), (r)-[:OWNS]->(p), (p)-[:SEEN_WITH]->(r)"
    )


def new_graph(world: World, store: Neo4jGraphStore) -> None:
    """The same cluster as this job has it, with more that the older builder knew nothing of."""
    replica_set = {"kind": "ReplicaSet", "ns": "shop", "name": "rs", "uid": "u-rs"}
    write(
        store,
        pod(NEW, "a", node="n1", labels=["a=1", "app=web"]),
        pod(NEW, "b", status='{"ip":"10.0.0.1","phase":"Running"}'),
        node(NEW),
        UpsertNode(NEW, ver(5), "replicaset:shop:rs", "u-rs", replica_set, digest_of(replica_set)),
        runs_on(NEW, "a"),
        UpsertEdge(NEW, ver(5), "edge:rs", "CONTROLS", "replicaset:shop:rs", "pod:shop:a"),
        episode(NEW),
    )
    world.cypher(
        "MATCH (p:Pod {client_id: $tenant, name: 'a'}) "
        "CREATE (p)-[:MOUNTS {client_id: $tenant}]->(:Resource:Secret {client_id: $tenant, rid: 'secret:shop:s', stub: true})",
        tenant=NEW,
    )


def test_an_older_graph_is_equal_by_the_mapping_in_the_documentation_and_says_what_was_compared(
    world: World, store: Neo4jGraphStore
) -> None:
    new_graph(world, store)
    old_graph(world, client_id=OLD)
    names = (f"--left_mapping={EXAMPLE}", f"--left_client_id={OLD}", f"--right_client_id={NEW}")

    found = compare(world, *names)

    (tenant,) = found["tenants"]
    assert (tenant["left"]["nodes"], tenant["left"]["relationships"]) == (4, 2)
    assert tenant["left"]["digest"] == tenant["right"]["digest"]
    assert found["compared"]["relationships"] == ["CONTROLS", "RUNS_ON", "SELECTS"]
    assert found["compared"]["nodes"] == {"Resource": ["image", "labels", "node", "replicas", "status", "uid"]}

    world.cypher('MATCH (p:Resource {client_id: $tenant, name: \'a\'}) SET p.labels = \'{"app":"shop","a":"1"}\'', tenant=OLD)
    world.cypher("MATCH (p:Resource {client_id: $tenant, kind: 'Pod', name: 'b'}) CREATE (n:Resource) SET n = properties(p)", tenant=OLD)
    world.cypher("MATCH (:Resource {client_id: $tenant})-[r:OWNS]->() DELETE r", tenant=OLD)
    (tenant,) = compare(world, *names, expect=1)["tenants"]
    assert tenant["node_examples"] == [
        {
            "where": "differing",
            "label": "Resource",
            "key": "pod:shop:a",
            "properties": [{"name": "labels", "left": '["a=1","app=shop"]', "right": '["a=1","app=web"]', "withheld": False}],
        },
        {"where": "only_left", "label": "Resource", "key": "pod:shop:b"},
    ]
    assert tenant["relationship_examples"] == [
        {"where": "only_right", "type": "CONTROLS", "from": "replicaset:shop:rs", "to": "pod:shop:a"}
    ]


def test_an_older_database_of_one_cluster_holds_no_tenant(world: World, store: Neo4jGraphStore, tmp_path: Path) -> None:
    new_graph(world, store)
    old_graph(world, label="K8sObject")
    text = EXAMPLE.read_text().replace('tenant = "client_id"', "").replace('label = "Resource"', 'label = "K8sObject"')
    mapping = tmp_path / "old.toml"
    mapping.write_text(text)

    found = compare(world, f"--left_mapping={mapping}", f"--client_id={NEW}")

    assert found["equal"] is True
    assert found["tenants"][0]["left"]["nodes"] == 4
    said = world.run("pipelines.tenants", "compare", "--left=/neo4j", "--right=/neo4j", f"--left_mapping={mapping}", expect=2).stderr
    assert "so all of the left is one tenant's; say whose with --client_id or --right_client_id" in said


def test_all_tenants_of_an_older_graph_are_found_in_it(world: World, store: Neo4jGraphStore) -> None:
    write(store, pod("af-10", "a"))
    write(store, pod("af-11", "a"))
    mapping = parse_mapping(BY_RID)

    side = MappedSide("left", world.neo4j_target, mapping)

    assert side.tenants() == ["af-10", "af-11"]
    side.close()
