"""The local stack: idempotent, mendable, on loopback, and gone when it is told to go."""

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import apache_beam as beam
import psutil
import pytest
from apache_beam.transforms.external import JavaExternalTransform

from runners.local.faults import StackFault
from runners.local.stack import LocalStack, free_stack_ports
from scripts.sampling.record import RESOURCES, SampleRecord
from tests.system.conftest import JARS
from tests.system.world import CHECKOUT, World

T = 1_772_352_000_000


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LocalStack]:
    stack = LocalStack(tmp_path / "own", free_stack_ports(), JARS)
    yield stack
    stack.down()


def pids(stack: LocalStack) -> list[int | None]:
    return [one.pid for one in stack.status()]


def listening(process: psutil.Process) -> set[tuple[str, int]]:
    """The addresses at which others reach the process; Java's sockets show IPv4 addresses as IPv6 ones."""
    open_ = [one.laddr for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
    return {(address.ip.removeprefix("::ffff:"), address.port) for address in open_}


def test_up_twice_keeps_what_runs_and_mends_what_died_and_down_leaves_nothing(own: LocalStack) -> None:
    own.up()
    first = pids(own)
    assert all(one.ready for one in own.status())
    for one in own.status():
        assert listening(psutil.Process(one.pid)) == {("127.0.0.1", port) for port in one.ports}
    own.up()
    assert pids(own) == first
    assert first[1] is not None
    os.kill(first[1], signal.SIGKILL)

    own.up()

    second = pids(own)
    assert (second[0], second[2]) == (first[0], first[2])
    assert second[1] != first[1]
    own.down()
    assert not [pid for pid in second if pid is not None and psutil.pid_exists(pid)]
    assert pids(own) == [None, None, None]
    assert own.down() == []


def test_the_connector_and_the_job_listen_on_loopback_alone_while_they_read(world: World) -> None:
    connector = world.stack.connector.process.find()
    assert connector is not None
    world.produce([SampleRecord(RESOURCES, b"af-10::pod:shop:a", b"{}", T)])
    listened: set[tuple[str, int]] = set()
    served: set[tuple[str, int]] = set()
    reached: set[int] = set()

    job = world.start_job("--kafka_reader=beam")
    process = psutil.Process(job.pid)
    while job.poll() is None:
        listened |= listening(connector)
        with suppress(psutil.Error):
            served |= listening(process)
        reached |= {one.raddr.port for one in connector.net_connections() if one.raddr}
        with suppress(subprocess.TimeoutExpired):
            job.wait(0.02)
    out, err = job.communicate()

    assert (job.returncode, json.loads(out)["read"]) == (0, 1), err
    # Its worker was looked at while it read from Kafka.
    assert world.stack.kafka.ports["--kafka_port"] in reached
    assert listened == {("127.0.0.1", world.stack.connector.ports["--connector_port"])}
    # Beam's runner serves the Java worker from the job's own process.
    assert {ip for ip, _ in served} == {"127.0.0.1"}


def test_the_connector_makes_no_transform_by_the_name_of_its_class(world: World) -> None:
    numbers = JavaExternalTransform("org.apache.beam.sdk.io.GenerateSequence", world.stack.connector.address)

    with pytest.raises(RuntimeError, match="allow list does not enable expanding a transform class by the name"):
        beam.Pipeline() | numbers.from_(0)


def test_the_password_is_readable_by_its_owner_alone(world: World) -> None:
    assert stat.S_IMODE(world.stack.neo4j.password_file.stat().st_mode) == 0o600


def test_a_taken_port_is_told_before_anything_starts(own: LocalStack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own.kafka.ports["--kafka_port"]))
        taken.listen()
        with pytest.raises(StackFault, match=r"Port \d+ for Kafka is taken by another process; free it or choose one with --kafka_port\."):
            own.up()

    assert pids(own) == [None, None, None]


@pytest.mark.parametrize(("kept", "said"), [([], "`java` is not on the PATH"), (["java"], "`mvn` is not on the PATH")])
def test_a_missing_java_or_maven_is_told_with_the_package_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: list[str], said: str
) -> None:
    import shutil  # noqa: PLC0415

    commands = tmp_path / "bin"
    commands.mkdir()
    for name in kept:
        (commands / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(commands))
    stack = LocalStack(tmp_path / "own", free_stack_ports(), tmp_path / "jars")

    with pytest.raises(StackFault, match=said):
        stack.up()


def test_env_prints_what_other_tools_need(world: World) -> None:
    printed = world.run("runners.local.cli", "env").stdout

    names = [line.removeprefix("export ").partition("=")[0] for line in printed.splitlines()]
    assert names == ["KAFKA_BROKERS", "KAFKA_EXPANSION_SERVICE", "NEO4J_URI", "NEO4J_USER", "NEO4J_PASSWORD"]
    assert f"export KAFKA_BROKERS={world.brokers}" in printed


def test_status_of_a_stack_that_is_down_exits_with_1(world: World, tmp_path: Path) -> None:
    assert "no" in world.run("runners.local.cli", "status", expect=1, GRAPH_STACK_DIR=str(tmp_path)).stdout
    assert "is down" in world.run("runners.local.cli", "env", expect=1, GRAPH_STACK_DIR=str(tmp_path)).stderr


def test_stopping_never_touches_a_process_that_only_bears_the_pid(own: LocalStack) -> None:
    folder = own.kafka.process.folder
    folder.mkdir(parents=True)
    (folder / "process.json").write_text(f'{{"pid": {os.getpid()}, "created": 1.0}}')

    assert own.down() == []
    assert CHECKOUT.exists()
