"""A graph that cannot be reached for what is configured is told in one sentence, before anything connects."""

from pathlib import Path

import pytest
from neo4j.exceptions import Neo4jError, ServiceUnavailable

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret


def sentence(uri: str, ca_file: str = "") -> str:
    with pytest.raises(InfrastructureFault) as caught:
        Neo4jTarget(uri, "neo4j", Secret("NEO4J_PASSWORD"), ca_file=ca_file).open()
    return caught.value.sentence


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "not-a-real-password")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:7474", "127.0.0.1:7687", "bolts://x", ""])
def test_a_scheme_that_is_none_of_neo4js_is_named_with_those_that_are(uri: str) -> None:
    assert sentence(uri).startswith(f"NEO4J_URI {uri} cannot be used; it must begin with one of bolt://, bolt+s://, bolt+ssc://, neo4j://")


def test_a_missing_certificate_file_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "no-such.pem")

    assert sentence("bolt://127.0.0.1:7687", missing) == (
        f"NEO4J_CA_FILE {missing} cannot be used (No such file or directory); fix its path or content."
    )


def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")

    assert sentence("bolt://127.0.0.1:7687", str(file)).startswith(f"NEO4J_CA_FILE {file} cannot be used (")


def test_a_login_in_the_uri_is_refused_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "not-a-real-password")
    for uri in ("bolt://u:hunter2@h:7687", "http://u:hunter2@h", "neo4j+s://u:hunter2@h/x?password=hunter2"):
        target = Neo4jTarget(uri, "neo4j", Secret("NEO4J_PASSWORD"))
        with pytest.raises(InfrastructureFault) as raised:
            target.open()
        assert "hunter2" not in raised.value.sentence
        assert "u:REDACTED@h" in raised.value.sentence
        assert "hunter2" not in target.fault(Neo4jError(f"no route to {uri}")).sentence


def test_a_refused_login_is_told_in_the_servers_words_without_codes() -> None:
    said = "The client is unauthorized due to authentication failure."
    error = Neo4jError._hydrate_neo4j(code="Neo.ClientError.Security.Unauthorized", message=said)  # type: ignore[no-untyped-call,unused-ignore]

    sentence = Neo4jTarget("bolt://n:7687", "me", Secret("NEO4J_PASSWORD")).fault(error).sentence

    assert sentence == (f"Neo4j at bolt://n:7687 refused the user me ({said}); fix NEO4J_USER and NEO4J_PASSWORD or NEO4J_PASSWORD_FILE.")


@pytest.mark.parametrize(
    ("uri", "ca_file", "asked"),
    [
        ("neo4j+s://n:7687", "", "does this port speak Bolt with TLS?"),
        ("bolt+ssc://n:7687", "", "does this port speak Bolt with TLS?"),
        ("bolt://n:7687", "/ca.pem", "does this port speak Bolt with TLS?"),
        ("bolt://n:7474", "", "is this its Bolt port, and does it want TLS"),
    ],
)
def test_a_server_that_does_not_answer_is_asked_about_by_what_was_configured(uri: str, ca_file: str, asked: str) -> None:
    target = Neo4jTarget(uri, "neo4j", Secret("NEO4J_PASSWORD"), ca_file=ca_file)

    assert f"then run again. If it runs, {asked}" in target.fault(ServiceUnavailable("Unable to retrieve routing information")).sentence
