"""Variables that look like misspelt ones of this project are found, and nothing else is."""

import pytest

from runners.variables import near_misses, remedy


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("KAFKA_BROKER", "KAFKA_BROKERS"),
        ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BROKERS"),
        ("KAFKA_BORKERS", "KAFKA_BROKERS"),
        ("KAFKA_TOPIC", "KAFKA_TOPICS"),
        ("NEO4J_PASS", "NEO4J_PASSWORD"),
        ("NEO4J_URL", "NEO4J_URI"),
        ("NEO4J_USERNAME", "NEO4J_USER"),
        ("NEO4JURI", "NEO4J_URI"),
        ("NEO4J_PASWORD_FILE", "NEO4J_PASSWORD_FILE"),
        ("SCHEMA_REGISTRY_URI", "SCHEMA_REGISTRY_URL"),
        ("KAFKA_SASL_MECHANISMS", "KAFKA_SASL_MECHANISM"),
        ("GRAPH_FOLOW", "GRAPH_FOLLOW"),
        ("GRAPH_EVERYS", "GRAPH_EVERY or GRAPH_EVERY_S"),
        ("GRAPH_LOCK_TIMEOUTS", "GRAPH_LOCK_TIMEOUT_S"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_one_that_was_meant(variable: str, meant: str) -> None:
    assert near_misses({variable: "x"}) == {variable: meant}


@pytest.mark.parametrize(
    "variable",
    # What Kafka, Neo4j and Kubernetes themselves set, and what is right.
    [
        "KAFKA_HOME",
        "KAFKA_OPTS",
        "KAFKA_HEAP_OPTS",
        "KAFKA_PORT",
        "KAFKA_SERVICE_HOST",
        "KAFKA_PORT_9092_TCP_PROTO",
        "KAFKA_LOG4J_OPTS",
        "NEO4J_HOME",
        "NEO4J_CONF",
        "NEO4J_EDITION",
        "NEO4J_PORT",
        "NEO4J_SERVICE_PORT",
        "NEO4J_PLUGINS",
        "NEO4J_LEFT_USER",
        "KAFKA_BROKERS",
        "NEO4J_URI",
        "KAFKA",
        "NEO4J",
        "GRAPH",
        "GRAPH_FOLLOW",
        "GRAPH_STACK_DIR",
        "GRAPH_TESTS_LONG",
        "GRAPHITE_HOST",
        "PATH",
        "BROKERS",
        "",
    ],
)
def test_other_variables_are_let_be(variable: str) -> None:
    assert near_misses({variable: "x"}) == {}


def test_what_says_the_same_as_the_right_variable_or_nothing_is_let_be() -> None:
    assert near_misses({"NEO4J_USERNAME": "x", "NEO4J_USER": "x"}) == {}
    assert near_misses({"NEO4J_AUTH": "neo4j/x", "NEO4J_PASSWORD": "y"}) == {}
    assert near_misses({"KAFKA_BROKER": ""}) == {}


def test_what_says_something_else_than_the_right_variable_is_told() -> None:
    assert near_misses({"KAFKA_BROKER": "a:1", "KAFKA_BROKERS": "b:1"}) == {"KAFKA_BROKER": "KAFKA_BROKERS"}
    assert near_misses({"NEO4J_URL": "bolt://a", "NEO4J_URI": "bolt://b"}) == {"NEO4J_URL": "NEO4J_URI"}


def test_the_remedy_is_to_set_the_right_variable_unless_it_is_set() -> None:
    assert remedy("NEO4J_PASS", "NEO4J_PASSWORD", {"NEO4J_PASS": "x"}) == "Set NEO4J_PASSWORD."
    assert remedy("NEO4J_PASS", "NEO4J_PASSWORD", {"NEO4J_PASSWORD_FILE": "/p"}) == "Unset NEO4J_PASS; NEO4J_PASSWORD_FILE is read."
    assert remedy("NEO4J_URL", "NEO4J_URI", {"NEO4J_URI": "bolt://b"}) == "Unset NEO4J_URL; NEO4J_URI is read."
