"""A server's start and its port, watched on real processes that are no servers."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.local.faults import StackFault
from runners.local.process import ServiceProcess, require_free_port


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    service = ServiceProcess("Kafka", tmp_path / "kafka")
    yield service
    service.stop()


def test_a_server_that_ends_while_starting_is_told_with_its_last_words(service: ServiceProcess) -> None:
    service.start(["/bin/sh", "-c", "echo starting; echo no memory; exit 1"])

    with pytest.raises(StackFault) as told:
        service.await_ready(lambda: False, 30)

    assert str(told.value) == f"Kafka ended while starting; its log {service.log} says why: starting / no memory"


def test_a_server_that_stays_silent_is_told_with_its_log_and_can_be_stopped(service: ServiceProcess) -> None:
    service.start(["/bin/sh", "-c", "exec sleep 600"])

    with pytest.raises(StackFault) as told:
        service.await_ready(lambda: False, 0)

    assert str(told.value) == f"Kafka did not answer within 0 s; its log {service.log} may say why."
    assert service.stop()
    assert service.find() is None
    assert not service.stop()


def test_a_server_that_answers_is_kept_and_found_by_whoever_asks_next(service: ServiceProcess) -> None:
    service.start(["/bin/sh", "-c", "exec sleep 600"])
    answers = iter([False, True])

    service.await_ready(lambda: next(answers), 30)

    found = ServiceProcess("Kafka", service.folder).find()
    assert found is not None
    assert found.pid == json.loads((service.folder / "process.json").read_text())["pid"]


def test_a_killed_server_whose_threads_still_end_is_collected_before_it_is_started_again(service: ServiceProcess) -> None:
    # Its first thread ends at once: it reads as a zombie, and cannot be collected while the other thread lives.
    lingers = "import ctypes, threading, time; threading.Thread(target=time.sleep, args=[1]).start(); ctypes.CDLL(None).pthread_exit(None)"
    service.start([sys.executable, "-c", lingers])
    while service.find() is not None:
        time.sleep(0.01)
    assert service.exit_code() is None

    service.stop()

    assert service.exit_code() is not None


@pytest.mark.parametrize("record", ['{"pid": 1', f'{{{{"pid": {os.getpid()}, "created": 1.0}}}}'], ids=["torn", "another's"])
def test_a_torn_record_or_one_of_another_process_counts_as_none(service: ServiceProcess, record: str) -> None:
    service.folder.mkdir()
    (service.folder / "process.json").write_text(record)

    assert service.find() is None


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_another_process_listens_on_is_told_with_the_flag(host: str) -> None:
    with socket.socket() as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackFault) as told:
            require_free_port("Kafka", port, "--kafka_port")

    assert str(told.value) == f"Port {port} for Kafka is taken by another process; free it or choose one with --kafka_port."
    require_free_port("Kafka", port, "--kafka_port")
