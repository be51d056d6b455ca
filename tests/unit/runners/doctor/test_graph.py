"""What Neo4j tells is judged: server, version, database, rights, constraints and indexes; without a server."""

from typing import Any

import pytest

from runners.doctor.graph import (
    judge_database,
    judge_schema,
    judge_server,
    judge_sizes,
    judge_uri,
    judge_version,
    judge_writing,
)
from runners.doctor.verdict import Status, ok
from transforms.io.answers import ProbeError
from transforms.io.graph_admin.probe import DatabaseTold, Index, Server
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.model import cypher
from transforms.model.schema import SchemaElement, schema

TARGET = Neo4jTarget("bolt://n:7687", "builder", Secret("NEO4J_PASSWORD"))
ONLINE = DatabaseTold("read-write", "online", True)
KEY = SchemaElement("resource_key", "Resource", ("client_id", "rid"), is_unique=True)
BY_UID = SchemaElement("resource_uid", "Resource", ("client_id", "uid"))


def index(element: SchemaElement, **changed: Any) -> Index:
    return Index(
        element.name, element.of, element.properties, element.is_unique, "ONLINE", "FULLTEXT" if element.is_text else "RANGE"
    )._replace(**changed)


@pytest.mark.parametrize("uri", ["bolt://n:1", "bolt+s://n", "bolt+ssc://n", "neo4j://n", "neo4j+s://n", "neo4j+ssc://n"])
def test_a_uri_that_the_driver_speaks_is_taken(uri: str) -> None:
    assert judge_uri(uri) is None


@pytest.mark.parametrize("uri", ["http://n:7474", "n:7687", "", "bolt+tls://n", "//n"])
def test_any_other_uri_is_fatal(uri: str) -> None:
    check = judge_uri(uri)
    assert check is not None
    assert (check.name, check.status) == ("Neo4j", Status.FAILED)


def test_a_server_that_lets_the_user_in_is_ok() -> None:
    assert judge_server(TARGET, Server("5.26.0")) == ok("Neo4j", "bolt://n:7687 let the user builder in")


@pytest.mark.parametrize(
    ("code", "said", "remedy"),
    [
        ("Neo.ClientError.Security.Unauthorized", "The client is unauthorized due to authentication failure.", "NEO4J_PASSWORD"),
        ("Neo.ClientError.Security.AuthenticationRateLimit", "Too many failures.", "NEO4J_PASSWORD"),
        ("Neo.ClientError.Security.CredentialsExpired", "The credentials you provided were valid, but must be changed", "Change"),
        ("ServiceUnavailable", "Couldn't connect to n:7687: (reason [Errno 111] Connection refused)", "Start it"),
        ("ServiceUnavailable", "Failed to DNS resolve address n:7687", "NEO4J_URI"),
        ("ServiceUnavailable", "Couldn't connect to n:7687: [SSLEOFError] Connection Failed.", "TLS"),
        ("ServiceUnavailable", "Failed to read four byte Bolt handshake response from server", "Bolt port"),
        ("ServiceUnavailable", "Connection to n:7687 closed with incomplete handshake response", "Bolt port"),
        ("ServiceUnavailable", "Cannot to connect to Bolt service (looks like HTTP)", "Bolt port"),
    ],
)
def test_why_neo4j_does_not_serve_is_told_apart(code: str, said: str, remedy: str) -> None:
    check = judge_server(TARGET, ProbeError(said, code))
    assert check.status is Status.FAILED
    assert said in check.said
    assert remedy in check.remedy
    assert ("refused the user builder" in check.said) is code.startswith("Neo.ClientError.Security")


@pytest.mark.parametrize(
    ("version", "status"),
    [
        ("5.26.30", Status.OK),
        ("5.24.0-drop03", Status.OK),
        ("5.23.0", Status.FAILED),
        ("5.1.0-drop03", Status.FAILED),
        ("4.4.40", Status.FAILED),
        ("3.5", Status.FAILED),
        ("2025.01.0", Status.WARNING),
        ("", Status.WARNING),
        ("dev", Status.WARNING),
    ],
)
def test_neo4j_5_that_knows_the_statements_is_ok_older_is_fatal_and_newer_a_warning(version: str, status: Status) -> None:
    assert judge_version(Server(version, "community")).status is status


@pytest.mark.parametrize(
    ("told", "status", "said"),
    [
        ([ONLINE], Status.OK, "online and takes writes"),
        ([DatabaseTold("read-write", "online", False), ONLINE], Status.OK, "takes writes"),
        ([], Status.FAILED, "does not exist"),
        ([ONLINE._replace(status="offline")], Status.FAILED, "is offline"),
        ([ONLINE._replace(access="read-only")], Status.FAILED, "is read-only"),
        ([ONLINE._replace(writer=False)], Status.FAILED, "is read-only"),
        (ProbeError("no"), Status.SKIPPED, "does not tell"),
    ],
)
def test_a_database_must_be_there_online_and_writable(told: list[DatabaseTold] | ProbeError, status: Status, said: str) -> None:
    check = judge_database("graph", told)
    assert check.status is status
    assert said in check.said


def test_the_right_to_write_is_fatal_where_it_is_missing() -> None:
    assert judge_writing(TARGET, None).status is Status.OK
    assert judge_writing(TARGET, ProbeError("Create node is not allowed", "Neo.ClientError.Security.Forbidden")).status is Status.FAILED


def test_sizes_are_told() -> None:
    assert judge_sizes({"nodes": 1200, "relationships": 3, "tenants": 2}).said == "1,200 nodes, 3 relationships, 2 tenants"
    assert judge_sizes(ProbeError("no")).status is Status.SKIPPED


def test_the_schema_that_is_looked_for_is_the_one_that_is_made() -> None:
    assert [one.statement for one in schema()] == cypher.schema_statements()
    assert judge_schema(schema(), [index(one) for one in schema()]) == ok(
        "schema", f"all {len(schema())} constraints and indexes are online"
    )


def test_what_is_missing_is_named_and_a_warning() -> None:
    check = judge_schema(schema(), [index(one) for one in schema() if one.name not in ("rule_key", "pod_ns")])
    assert (check.status, check.said) == (Status.WARNING, "missing: rule_key, pod_ns")
    assert check.remedy == "The job makes what is missing when it starts."


def test_the_same_constraint_under_another_name_serves_as_well() -> None:
    assert judge_schema([KEY, BY_UID], [index(KEY, name="theirs"), index(BY_UID, name="idx")]).status is Status.OK


@pytest.mark.parametrize(
    ("there", "status", "said", "remedy"),
    [
        (index(KEY, state="POPULATING"), Status.WARNING, "not online yet: resource_key", "Wait"),
        (index(KEY, state="FAILED"), Status.FAILED, "failed: resource_key", "DROP CONSTRAINT resource_key"),
        # Neo4j makes no constraint over what a plain index covers.
        (index(KEY, name="mine", is_unique=False), Status.FAILED, "in its way", "DROP INDEX mine;"),
        # A name is taken: by an index, which makes the statement fail; by a constraint, which makes it do nothing.
        (index(KEY, of="Other", is_unique=False), Status.FAILED, "in its way", "DROP INDEX resource_key;"),
        (index(KEY, of="Other"), Status.WARNING, "its name is taken", "DROP CONSTRAINT resource_key;"),
        (index(KEY, properties=("rid", "client_id")), Status.WARNING, "its name is taken", "DROP CONSTRAINT resource_key;"),
        (index(KEY, name="text", type="TEXT", is_unique=False), Status.WARNING, "missing: resource_key", "The job makes"),
    ],
)
def test_what_is_there_otherwise_is_told_with_the_way_out(there: Index, status: Status, said: str, remedy: str) -> None:
    check = judge_schema([KEY], [there])
    assert check.status is status
    assert said in check.said
    assert remedy in check.remedy


def test_a_schema_that_is_not_told_is_skipped() -> None:
    assert judge_schema(schema(), ProbeError("no")).status is Status.SKIPPED
