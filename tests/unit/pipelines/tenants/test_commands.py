"""The commands on tenants: wrong usage, what they tell of a tenant, and how."""

from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.output.readable import shown_age
from pipelines.tenants.commands import app
from pipelines.tenants.list import list_object, notes
from pipelines.tenants.purging import whoami
from pipelines.tenants.show import print_shown, readable, show_object
from transforms.io.neo4j.purge import Found, Sizes
from transforms.model import purge
from transforms.model.graph import NODES, RELATIONSHIPS
from transforms.planning.lifecycle.reaping import standing_of
from transforms.records.record import time_limit

NOW = 1_772_352_000_000
NEO4J = "--neo4j_uri=bolt://127.0.0.1:1"


@pytest.fixture
def unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs are the process's: they must not stay bound to the stream of a command that has ended."""
    monkeypatch.setattr("pipelines.options.flatten.configure_logs", lambda _level: None)


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reap", NEO4J], "there is no terminal to ask at; give --yes"),
        (["forget", "af-10", NEO4J], "there is no terminal to ask at; give --yes"),
        (["reap", "--yes", "--purge_after=7", NEO4J], "--purge_after is '7'; write a whole number with its unit"),
        (["reap", "--yes", "--client_id=AF 10", NEO4J], "--client_id is 'AF 10'; a tenant id has"),
        (["forget", "Node", "--yes", NEO4J], "CLIENT_ID is 'Node'; a tenant id has"),
        (["show", "a::b", NEO4J], "CLIENT_ID is 'a::b'; a tenant id has"),
        (["forget", "af-10", "--yes", "--slice_rows=1", NEO4J], "--slice_rows"),
        (["forget", "--yes", NEO4J], "Missing argument"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked_of_the_graph(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "400"})

    assert done.exit_code == 2, done.output
    assert said in done.output


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("arguments", [["list"], ["show", "af-10"], ["reap", "--dry_run"], ["forget", "af-10", "--yes"]])
def test_a_graph_out_of_reach_is_told_in_one_sentence(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, [*arguments, NEO4J, "--neo4j_retry_s=0"], env={"NEO4J_PASSWORD": "p"})

    assert done.exit_code == 1
    assert done.output.startswith("Neo4j at bolt://127.0.0.1:1 cannot be used (")
    assert len(done.output.strip().splitlines()) == 1


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"NEO4J_PASSWORD": ""}, "NEO4J_PASSWORD is not set; set it, or NEO4J_PASSWORD_FILE, in the environment, or name a file with "),
        ({"NEO4J_URI": "127.0.0.1:17687"}, "NEO4J_URI 127.0.0.1:17687 cannot be used; it must begin with one of bolt://"),
        ({"NEO4J_PASSWORD_FILE": "/nope"}, "The secret file /nope cannot be read (No such file or directory); "),
        ({"NEO4J_CA_FILE": "/nope"}, "NEO4J_CA_FILE /nope cannot be used (No such file or directory); "),
    ],
)
def test_a_setting_that_cannot_be_used_is_wrong_usage(variables: dict[str, str], said: str) -> None:
    known = {"NEO4J_URI": "bolt://127.0.0.1:1", "NEO4J_PASSWORD": "p", "NEO4J_PASSWORD_FILE": "", "COLUMNS": "400"}

    done = CliRunner().invoke(app, ["list", "--neo4j_retry_s=0"], env={**known, **variables})

    assert done.exit_code == 2
    assert done.output.startswith(said)
    assert len(done.output.strip().splitlines()) == 1


def found(**props: Any) -> Found:
    props = {"client_id": "af-10", **props}
    return Found(standing_of("af-10", props), props, NOW)


def test_a_tenant_in_the_list() -> None:
    one = found(state="STALE", last_seen=NOW - 150_000, generation=2, resync_needed=True, purging=True, quarantined_at=1, deregistered_at=1)

    assert list_object(one, Sizes(1, 2, 3)) == {
        "state": "STALE",
        "last_seen": "2026-03-01T07:57:30.000Z",
        "written_at": None,
        "last_seen_age_s": 150.0,
        "written_at_age_s": None,
        "generation": 2,
        "notes": ["deregistered", "purging", "resync needed", "quarantined"],
        "nodes": 1,
        "relationships": 3,
        "bookkeeping": 2,
    }
    assert list_object(found(), None)["generation"] == 1
    assert notes(found(resync_needed=False)) == []


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(-5, "0 s"), (59_999, "59 s"), (60_000, "1 min"), (3_599_999, "59 min"), (3_600_000, "1 h"), (86_400_000, "1 d"), (10**10, "115 d")],
)
def test_ages_are_told_in_the_largest_unit(milliseconds: int, shown: str) -> None:
    assert shown_age(milliseconds) == shown


def test_properties_of_a_cluster_are_made_readable() -> None:
    assert readable("purged_at", NOW - 5_000, NOW) == "2026-03-01T07:59:55.000Z (5 s ago)"
    assert readable("heard", NOW - 5_000, NOW) == "2026-03-01T07:59:55.000Z (5 s ago)"
    assert readable("floor", time_limit(NOW * 1000), NOW).startswith("2026-03-01T08:00:00+00:00 (")
    assert readable("labels", ["a=b", "c=d"], NOW) == "a=b, c=d"
    assert readable("writes", 7, NOW) == "7"
    assert readable("dead_clock_ms", 7, NOW) == "7", "the bus's clock tells no moment"


def test_the_table_of_a_cluster_has_no_internals(capsys: pytest.CaptureFixture[str]) -> None:
    internal = {"spelling": 2, "writes": 1, "registry_ver": "00179", "dead_clock_ms": 7, "silent_clock_ms": 7}
    one = found(state="ACTIVE", heard=NOW, **internal)

    print_shown(one, Sizes(1, 2, 3), [])

    printed = capsys.readouterr().out
    assert "heard" in printed
    assert not [name for name in internal if name in printed]
    assert show_object(one, Sizes(1, 2, 3), [])["cluster"].items() >= internal.items(), "machines are told all of it"


def test_a_purge_is_signed_with_user_and_host() -> None:
    user, _, host = whoami().partition("@")
    assert user
    assert host


def test_all_that_the_model_declares_is_purged_but_the_cluster_and_what_is_no_tenants() -> None:
    kept = {"Cluster", "ClusterEpisode", "Lease", "Bus", "Backfill", "BackfillSlice", "Schema"}
    assert {node.label for node in NODES} - {node.label for node in purge.PURGED} == kept
    assert {relationship.source for relationship in RELATIONSHIPS} == set(purge.SOURCES)
    assert purge.PURGE_NODES.keys() == {node.label for node in purge.PURGED}
