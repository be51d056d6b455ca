"""With nothing to tell of, a command says so in a sentence; a table of heads alone says nothing."""

import json as to_json
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.incidents import explain
from pipelines.incidents import list as incidents
from pipelines.incidents import show as incident
from pipelines.options.failures import FailureOptions
from pipelines.options.flow import WriteOptions
from pipelines.options.kafka import KafkaOptions
from pipelines.options.letters import ReplayOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.tenants import AdmissionOptions, RouteOptions
from pipelines.output import known_tenant
from pipelines.output.run_report import print_summary, run_summary
from pipelines.tenants import digest, list, reap, release, sweep  # noqa: A004 - the command's own name
from runners.loops.bounded import RunTotals

NEO4J = Neo4jOptions(neo4j_uri="bolt://127.0.0.1:1")


class Store:
    """A graph without a tenant."""

    def __init__(self, _target: Any) -> None: ...

    def close(self) -> None: ...

    def check_version(self) -> int:
        return 0

    def tenants(self) -> Any:
        return []


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (digest, list, reap, sweep):
        monkeypatch.setattr(module, "Neo4jGraphStore", Store)
    for module in (list, reap):
        monkeypatch.setattr(module, "tenants_found", lambda *_: [])
    monkeypatch.setattr(reap, "bus_clock", lambda _store: None)
    monkeypatch.setattr(sweep, "floors_at", lambda *_: None)


COMMANDS: dict[str, tuple[Callable[[bool], None], str]] = {
    "list": (lambda json: list.list_tenants(NEO4J, with_sizes=False, json=json), "There is no tenant yet: "),
    "digest": (lambda json: digest.digest(NEO4J, "", json=json), "There is no tenant yet: "),
    "sweep": (lambda json: sweep.sweep(NEO4J, "", "30d", "14d", dry_run=False, json=json), "Nothing is old enough"),
    "reap": (lambda json: reap.reap(NEO4J, "", "7d", dry_run=True, yes=False, slice_rows=1, json=json), "No tenant is to be purged."),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_empty_answer_is_one_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, said = COMMANDS[name]
    command(False)

    printed = capsys.readouterr().out
    assert printed.startswith(said)
    assert printed.rstrip().endswith(".")
    assert len(printed.splitlines()) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_machines_are_told_the_same_as_ever(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    COMMANDS[name][0](True)

    assert to_json.loads(capsys.readouterr().out)["tenants"] == {}


UNKNOWN: dict[str, Callable[[], None]] = {
    "digest": lambda: digest.digest(NEO4J, "af-99", json=False),
    "sweep": lambda: sweep.sweep(NEO4J, "af-99", "30d", "14d", dry_run=True, json=False),
    "reap": lambda: reap.reap(NEO4J, "af-99", "7d", dry_run=True, yes=False, slice_rows=1, json=False),
    "release": lambda: release.release(
        "af-99",
        KafkaOptions(kafka_brokers="127.0.0.1:1"),
        NEO4J,
        RegistryOptions(),
        ReplayOptions(),
        RouteOptions(),
        AdmissionOptions(),
        WriteOptions(),
        FailureOptions(),
        "deadletters",
        "",
        0.0,
        json=False,
    ),
    "incidents list": lambda: incidents.list_incidents(NEO4J, "af-99", "open", "7d", json=False),
    "incidents show": lambda: incident.show(NEO4J, "i1", "af-99", json=False),
    "incidents explain": lambda: explain.explain(NEO4J, "pod:shop:cart-1", "af-99", json=False),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_tenant_that_is_not_there_is_told_and_the_exit_code_is_1(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (release, incidents, incident, explain):
        monkeypatch.setattr(module, "Neo4jGraphStore", Store)
    monkeypatch.setattr(known_tenant, "tenants_found", lambda *_: [])

    with pytest.raises(SystemExit) as raised:
        UNKNOWN[name]()

    assert raised.value.code == 1
    assert capsys.readouterr().err == "There is no tenant af-99 in the graph; `tenants list` tells of those there are.\n"


def test_a_run_without_records_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(run_summary(RunTotals(), 0.26), as_json=False)

    assert capsys.readouterr().out == "There were no new records; looking took 0.3 s\n"
