"""Which reader `auto` takes: Beam's where its Java side is, else the one that needs none; with the reason."""

import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import typer

from pipelines.options.kafka import TopicOptions
from pipelines.options.run import RunOptions, chosen_reader
from runners.local.endpoints import Endpoints, listens


@pytest.fixture
def port() -> Iterator[int]:
    """Of loopback, with a listener."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def _stack(folder: Path, expansion_service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BROKERS", "NEO4J_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GRAPH_STACK_DIR", str(folder))
    (folder / "endpoints.json").write_bytes(msgspec.json.encode(Endpoints("k:1", "bolt://n:2", "neo4j", "/p", expansion_service)))


@pytest.mark.parametrize(
    ("asked", "follow", "java_side", "reader", "why"),
    [
        ("auto", False, "h:1", "beam", "at h:1"),
        ("auto", False, "", "bounded", "no Java side"),
        ("auto", True, "h:1", "bounded", "goes on"),
        ("beam", True, "", "beam", "--kafka_reader"),
        ("bounded", False, "h:1", "bounded", "--kafka_reader"),
    ],
)
def test_auto_takes_beams_reader_where_its_java_side_is(asked: str, follow: bool, java_side: str, reader: str, why: str) -> None:
    chosen = chosen_reader(asked, follow=follow, java_side=java_side)

    assert chosen.reader == reader
    assert why in chosen.why
    assert RunOptions(kafka_reader=asked).reader(follow=follow, java_side=java_side) == chosen


def test_another_reader_is_an_error_of_use() -> None:
    with pytest.raises(typer.BadParameter, match="--kafka_reader is 'x'"):
        chosen_reader("x", follow=False, java_side="")


def test_the_java_side_is_the_one_that_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _stack(tmp_path, "127.0.0.1:1", monkeypatch)

    assert TopicOptions(expansion_service="h:9").java_side() == "h:9"


def test_the_java_side_is_the_local_stacks_while_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    _stack(tmp_path, f"127.0.0.1:{port}", monkeypatch)
    assert TopicOptions().java_side() == f"127.0.0.1:{port}"

    _stack(tmp_path, "127.0.0.1:1", monkeypatch)
    assert TopicOptions().java_side() == ""


def test_servers_of_ones_own_have_no_java_side_unless_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    _stack(tmp_path, f"127.0.0.1:{port}", monkeypatch)
    monkeypatch.setenv("KAFKA_BROKERS", "mine:9092")

    assert TopicOptions().java_side() == ""


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:x", "", "127.0.0.1"])
def test_where_nothing_listens_nothing_is_there(address: str) -> None:
    assert not listens(address)
