"""The stack knows its ports and its own processes: what answers elsewhere, or is another's, is not taken for its own."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from runners.local import cli
from runners.local.faults import StackFault
from runners.local.process import ServiceProcess
from runners.local.service import free_ports, is_own_and_ready
from runners.local.services import Kafka
from runners.local.stack import LocalStack, Ports, known_ports

LISTEN = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('up', flush=True); time.sleep(600)"


class Listener:
    """A server that listens and says that it is ready, whoever does listen."""

    def __init__(self, folder: Path, port: int) -> None:
        self.process = ServiceProcess("Listener", folder)
        self.ports = {"--port": port}

    def start(self) -> None:
        self.process.start([sys.executable, "-c", LISTEN, str(self.ports["--port"])])

    def is_ready(self) -> bool:
        with socket.socket() as asked:
            return asked.connect_ex(("127.0.0.1", self.ports["--port"])) == 0


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    found = Listener(tmp_path / "mine", free_ports(1)[0])
    found.start()
    found.process.await_ready(lambda: is_own_and_ready(found), 60)
    yield found
    found.process.stop()


def test_what_answers_on_a_port_of_ones_own_process_is_its_own(listener: Listener) -> None:
    assert is_own_and_ready(listener)
    assert not listener.process.listens_on([*listener.ports.values(), 1])


def test_what_answers_there_but_is_anothers_is_not(listener: Listener, tmp_path: Path) -> None:
    mine = Listener(tmp_path / "other", free_ports(1)[0])
    mine.start()
    try:
        mine.process.await_ready(lambda: is_own_and_ready(mine), 60)
        # As with one variable forgotten: the process is there, and somebody answers, but on another's port.
        mine.ports = listener.ports
        assert mine.is_ready()
        assert not is_own_and_ready(mine)
    finally:
        mine.process.stop()


def test_without_a_process_nothing_is_its_own(tmp_path: Path, listener: Listener) -> None:
    assert not is_own_and_ready(Listener(tmp_path / "none", listener.ports["--port"]))


def _remembered(folder: Path, ports: Ports) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "ports.json").write_bytes(msgspec.json.encode(ports))


def test_ports_are_remembered_and_what_is_left_out_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Ports] = []
    monkeypatch.setenv("GRAPH_STACK_DIR", str(tmp_path))
    for name in ("KAFKA", "KAFKA_CONTROLLER", "NEO4J", "CONNECTOR"):
        monkeypatch.delenv(f"STACK_{name}_PORT", raising=False)
    monkeypatch.setattr(cli, "LocalStack", lambda _folder, ports: made.append(ports))
    monkeypatch.setattr(cli, "read_endpoints", lambda: None)

    CliRunner().invoke(cli.app, ["env"])
    _remembered(tmp_path, Ports(1, 2, 3, 4))
    CliRunner().invoke(cli.app, ["env"])
    CliRunner().invoke(cli.app, ["--neo4j_port=9", "env"])

    assert made == [Ports(), Ports(1, 2, 3, 4), Ports(1, 2, 9, 4)]


@pytest.mark.parametrize("held", ["", "{", '{"kafka": "x"}'])
def test_ports_that_cannot_be_read_are_none(tmp_path: Path, held: str) -> None:
    (tmp_path / "ports.json").write_text(held)

    assert known_ports(tmp_path) is None
    assert known_ports(tmp_path / "nowhere") is None


def test_a_change_of_ports_is_refused_while_it_runs_and_nothing_is_to_be_deleted(tmp_path: Path) -> None:
    ports = free_ports(4)
    _remembered(tmp_path, Ports(*ports))
    stack = LocalStack(tmp_path, Ports())
    stack.neo4j.process.start(["/bin/sh", "-c", "exec sleep 600"])
    try:
        for command in (stack.up, stack.status):
            with pytest.raises(StackFault) as told:
                command()
            assert "runs on other ports" in str(told.value)
            assert "kafka 19092" in str(told.value)
            assert "reset" not in str(told.value)
    finally:
        stack.neo4j.process.stop()
    assert [one.ready for one in stack.status()] == [False] * 3


def test_a_broker_is_known_by_the_id_that_its_storage_was_formatted_with(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path, tmp_path, 1, 2)
    assert kafka.cluster_id() == ""

    (tmp_path / "kafka" / "data").mkdir(parents=True)
    (tmp_path / "kafka" / "data" / "meta.properties").write_text("version=1\ncluster.id=abc=d\nnode.id=1\n")
    assert kafka.cluster_id() == "abc=d"
