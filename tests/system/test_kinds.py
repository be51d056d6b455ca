"""Every kind with its relationships, on real Neo4j: the same whatever the order, and nothing of a Secret in it."""

from datetime import UTC, datetime
from random import Random
from typing import Any

from scripts.sampling.record import RESOURCES, SampleRecord, json_bytes
from tests.support.in_memory import expected_digests
from tests.system.world import World
from tests.unit.transforms.planning.interpret.test_specs import GOLDEN, HIDDEN
from transforms.model.graph import BETWEEN_RESOURCES
from transforms.model.kinds import KIND_OF_TOKEN
from transforms.records.specs.table import SPEC_OF_TOKEN

BEGIN_S = 1_772_352_000
CLIENTS = ("in-order", "backwards", "shuffled", "sliced")
APPS: list[dict[str, Any]] = [
    {"kind": "Pod", "name": name, "labels": labels, "node": "n", "spec": {"volumes": [{"configMap": {"name": "settings"}}]}}
    for name, labels in (("p", {"app": "cart"}), ("q", {"app": "cart", "tier": "web", "zone": "b", "example.com/safe": ""}), ("bare", {}))
]


def story() -> list[tuple[int, dict[str, Any] | None, str]]:
    """Objects of every kind, some said again otherwise, some gone and back: (seconds, envelope or None, raw key)."""
    # Each under a name of its own, and all of a kind as the states of one object, one after the other.
    said: list[dict[str, Any]] = [{"kind": one.kind, "name": f"x-{at}", **one.envelope} for at, one in enumerate(GOLDEN)]
    said += [{"kind": one.kind, "name": "x", **one.envelope} for one in GOLDEN]
    # One policy more that selects all, and what others mount, gone and back.
    said += [{"kind": "NetworkPolicy", "name": "all", "spec": {"podSelector": {}}}, *APPS]
    said += [{"kind": "ConfigMap", "name": "settings", "spec": {"data": {"k": HIDDEN}}}, {"kind": "Service", "name": "cart"}]
    found: list[tuple[int, dict[str, Any] | None, str]] = []
    for at, fields in enumerate(said):
        found.append((at, fields, f"{fields['kind'].lower()}:shop:{fields['name']}"))
    end = len(said)
    found += [(end, None, "configmap:shop:settings"), (end + 1, None, "pod:shop:p"), (end + 2, None, "secret:shop:two")]
    found += [(end + 3, {**APPS[0], "labels": {"tier": "api"}}, "pod:shop:p"), (end + 4, APPS[1], "pod:shop:q")]
    return found


def records(client_id: str, random: Random | None) -> list[SampleRecord]:
    made = []
    for at, fields, raw_key in story():
        timestamp_ms = (BEGIN_S + at) * 1000
        moment = datetime.fromtimestamp(BEGIN_S + at, UTC).isoformat()
        body = {"op": "UPSERT", "at": moment, "namespace": "shop", **(fields or {})}
        made.append(SampleRecord(RESOURCES, f"{client_id}::{raw_key}".encode(), json_bytes(body) if fields else None, timestamp_ms))
    if random:
        made *= 2
        random.shuffle(made)
    return made


def test_any_order_gives_one_graph_of_every_kind_and_type(world: World) -> None:
    sliced = records("sliced", Random(5))
    world.produce([*records("in-order", None), *records("backwards", None)[::-1], *records("shuffled", Random(3)), *sliced[::2]])
    reports = [world.run_job("--incidents=off")]
    world.produce(sliced[1::2])
    reports.append(world.run_job("--incidents=off", "--batch_rows=3"))

    assert [report["rejected"] for report in reports] == [0, 0]
    assert set(world.digests()) == set(CLIENTS)
    assert set(world.digests().values()) == set(expected_digests(records("in-order", None), incidents=False).values())
    types = world.cypher("MATCH (:Resource {client_id: 'shuffled'})-[r]->() RETURN DISTINCT type(r) AS type")
    assert {row["type"] for row in types} == {relationship.type for relationship in BETWEEN_RESOURCES}
    labels = world.cypher("MATCH (n:Resource {client_id: 'shuffled'}) WHERE n.stub IS NULL UNWIND labels(n) AS label RETURN DISTINCT label")
    assert {row["label"] for row in labels} == {"Resource", *(KIND_OF_TOKEN[token].name for token in SPEC_OF_TOKEN)}
    # The last word on the policy x is four expressions, which only the Pod q meets.
    policies = "MATCH (n:NetworkPolicy {client_id: 'sliced', name: $name})-[:SELECTS]->(p:Pod) RETURN p.name AS pod"
    assert world.cypher(policies, name="x") == [{"pod": "q"}]
    # What selects every Pod of its namespace is joined with the Namespace alone.
    everything = "MATCH (:NetworkPolicy {client_id: 'sliced', name: 'all'})-[:SELECTS]->(n) RETURN n.rid AS rid"
    assert world.cypher(everything) == [{"rid": "namespace::shop"}]
    mounting = world.cypher(
        "MATCH (c:ConfigMap {client_id: 'sliced', name: 'settings'})<-[:MOUNTS]-(p) RETURN p.name AS pod, c.stub AS stub"
    )
    # The Pod bare was not reported after the ConfigMap went, so it mounts it no more.
    assert {row["pod"]: row["stub"] for row in mounting} == {"p": True, "q": True}


def test_nothing_of_a_secret_or_config_map_is_stored_but_the_names_of_keys(world: World) -> None:
    world.produce(records("in-order", None))

    world.run_job()

    stored = world.cypher("MATCH (n) RETURN properties(n) AS props UNION ALL MATCH ()-[r]->() RETURN properties(r) AS props")
    assert len(stored) > 100
    assert HIDDEN not in repr(stored)
    keys = world.cypher("MATCH (n:ConfigMap {client_id: 'in-order', name: 'x'}) RETURN n.keys AS keys")
    assert keys == [{"keys": ["a", "b", "c"]}]
    assert world.deadletters() == []
