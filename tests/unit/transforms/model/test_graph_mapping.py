"""A mapping tells an older graph in words of ours; what could not be meant, or must not stand in a statement, is refused."""

import tomllib
from typing import Any

import pytest

from tests.support.places import CHECKOUT
from transforms.model.graph import RESOURCE
from transforms.model.graph_mapping import BadMapping, GraphMapping, KeyPart, MappedNode, MappedProperty, parse_mapping
from transforms.model.mapped_cypher import mapped_page, mapped_tenants

EXAMPLE = CHECKOUT / "docs" / "old-builder.toml"
NODES = {"Resource": {"label": "Resource", "key": "{rid}"}}


def test_the_example_in_the_documentation_is_a_mapping() -> None:
    mapping = parse_mapping(tomllib.loads(EXAMPLE.read_text()))

    assert mapping.tenant == "client_id"
    assert mapping.relationships["CONTROLS"] == "OWNS"
    (resource,) = mapping.nodes
    assert resource.key == (KeyPart(name="kind", lower=True), KeyPart(":"), KeyPart(name="ns"), KeyPart(":"), KeyPart(name="name"))
    assert resource.properties["labels"] == MappedProperty("labels", "pairs")


def test_what_is_left_out_has_a_meaning() -> None:
    assert parse_mapping({"nodes": NODES}) == GraphMapping((MappedNode(RESOURCE, ("Resource",), (KeyPart(name="rid"),), {}),), {}, "")


def _with(**changes: Any) -> dict[str, Any]:
    return {"nodes": {"Resource": {**NODES["Resource"], **changes}}}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "it must hold a table [nodes.Resource]"),
        ({"nodes": NODES, "tennant": "x"}, "the file has 'tennant', which means nothing here"),
        ({"nodes": []}, "nodes must be a table"),
        ({"nodes": {"Thing": {}}}, "nodes.Thing is none of our labels, which are Resource, "),
        ({"nodes": {"Cluster": {}}}, "nodes.Cluster is none of our labels"),
        ({"nodes": {"Resource": "x"}}, "nodes.Resource must be a table"),
        ({"nodes": NODES, "tenant": "a`b"}, "tenant is 'a`b'"),
        ({"nodes": NODES, "tenant": 3}, "tenant is 3"),
        (_with(label=[]), "nodes.Resource must say its `label`"),
        (_with(label="Res`) DETACH DELETE n //"), "nodes.Resource.label is 'Res`) DETACH DELETE n //'"),
        (_with(label=["A", "\\u0060"]), "nodes.Resource.label is '\\\\u0060'"),
        (_with(key="rid"), "nodes.Resource must say its `key`"),
        (_with(key=None), "nodes.Resource must say its `key`"),
        (_with(key="{rid}{a`b}"), "nodes.Resource.key is '{rid}{a`b}'"),
        (_with(key="{rid|upper}"), "nodes.Resource must say its `key`"),
        (_with(key="{kind}:{name|upper}"), "nodes.Resource.key is '{kind}:{name|upper}'"),
        (_with(properties={"ver": "version"}), "nodes.Resource.properties names ver, which is no content"),
        (_with(properties={"rid": "rid"}), "nodes.Resource.properties names rid"),
        (_with(properties={"image": "im`age"}), "nodes.Resource.properties.image is 'im`age'"),
        (_with(properties={"image": 1}), "nodes.Resource.properties.image must be a name, or a table"),
        (_with(properties={"labels": {"from": "l", "as": "map"}}), "nodes.Resource.properties.labels.as is 'map'"),
        (_with(properties={"labels": {"as": "pairs"}}), "nodes.Resource.properties.labels.from is None"),
        (_with(properties={"labels": {"from": "l", "to": "m"}}), "nodes.Resource.properties.labels has 'to'"),
        (_with(properties=[]), "nodes.Resource.properties must be a table"),
        ({"nodes": NODES, "relationships": {"OWNS": "OWNS"}}, "relationships.OWNS is none of our types"),
        ({"nodes": NODES, "relationships": {"ABOUT": "ABOUT"}}, "relationships.ABOUT joins Episodic, so it needs the table nodes.Episodic"),
        ({"nodes": NODES, "relationships": {"RUNS_ON": "a\nb"}}, "relationships.RUNS_ON is 'a\\nb'"),
        ({"nodes": NODES, "relationships": {"RUNS_ON": "X", "SELECTS": "X"}}, "relationships gives X to several of our types"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_of_it_and_why(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(BadMapping) as raised:
        parse_mapping(settings)
    assert str(raised.value).startswith(said)


def test_names_stand_quoted_and_texts_are_bound() -> None:
    mapping = parse_mapping(
        {
            "tenant": "cluster id",
            "nodes": {"Resource": {"label": ["Pod", "K8s.Node"], "key": "x'{kind|lower}:{name}:", "properties": {"node": "spec/node"}}},
            "relationships": {"RUNS_ON": "runs-on"},
        }
    )

    statement = mapped_page(mapping, mapping.nodes[0])

    assert statement.text == (
        "MATCH (n:`Pod`|`K8s.Node`)\nWHERE n.`cluster id` = $client_id\n"
        "WITH n, $text_1 + toLower(coalesce(toString(n.`kind`), '')) + $text_2 + coalesce(toString(n.`name`), '') + $text_2 + '' AS key, "
        "elementId(n) AS id\n"
        "WHERE key > $after OR (key = $after AND id > $after_id)\n"
        "WITH n, key, id ORDER BY key, id LIMIT 5000\n"
        "RETURN key, id, [n.`spec/node`] AS values,\n"
        "  [(n)-[r]->(m) WHERE type(r) IN $types | [type(r), CASE WHEN m:`Pod`|`K8s.Node` THEN 'Resource' END, "
        "CASE WHEN m:`Pod`|`K8s.Node` THEN $text_1 + toLower(coalesce(toString(m.`kind`), '')) + $text_2 + "
        "coalesce(toString(m.`name`), '') + $text_2 + '' END, m.`cluster id`]] AS out"
    )
    assert statement.parameters == {"types": ["runs-on"], "text_1": "x'", "text_2": ":"}
    assert mapped_tenants(mapping) == ("MATCH (n:`Pod`|`K8s.Node`) WHERE n.`cluster id` IS NOT NULL\nRETURN n.`cluster id` AS client_id")
