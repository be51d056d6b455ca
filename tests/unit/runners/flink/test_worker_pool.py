"""The Python worker pool: asked over gRPC as a TaskManager asks it, with workers that only say what they were told."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc, endpoints_pb2

from runners.flink.worker_pool import HOST, WorkerPool, serve, worker_command


class Asked:
    """A pool that is served, and a client of it."""

    def __init__(self, command: Any) -> None:
        self.pool = WorkerPool(command)
        self.server, self.port = serve(self.pool, 0)
        self._channel = grpc.insecure_channel(f"{HOST}:{self.port}")
        self.stub = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(self._channel)

    def start(self, worker: str) -> str:
        control = endpoints_pb2.ApiServiceDescriptor(url="localhost:1")
        request = beam_fn_api_pb2.StartWorkerRequest(worker_id=worker, control_endpoint=control)
        return str(self.stub.StartWorker(request).error)

    def stop(self, worker: str) -> None:
        self.stub.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id=worker))

    def close(self) -> None:
        self._channel.close()
        self.server.stop(None).wait()
        self.pool.close()


def children() -> set[int]:
    return {one.pid for one in psutil.Process().children(recursive=True)}


@pytest.fixture
def asked() -> Iterator[Asked]:
    asked = Asked(lambda _control, _worker: ["/bin/sh", "-c", "exec sleep 600"])
    yield asked
    asked.close()


def test_workers_are_started_and_stopped_one_by_one_and_none_is_left(asked: Asked) -> None:
    before = children()

    assert [asked.start("1-1"), asked.start("1-2")] == ["", ""]
    assert len(children() - before) == 2
    asked.stop("1-1")
    asked.stop("unknown")
    assert len(children() - before) == 1
    asked.pool.close()
    assert children() == before


def test_a_worker_that_ended_by_itself_is_collected_when_the_next_starts(asked: Asked) -> None:
    before = children()
    asked.start("1-1")
    (ended,) = (psutil.Process(pid) for pid in children() - before)
    ended.kill()
    while ended.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)

    asked.start("2-1")

    assert not ended.is_running()


def test_a_worker_that_cannot_be_started_is_told_to_the_taskmanager(tmp_path: Path) -> None:
    asked = Asked(lambda _control, _worker: [str(tmp_path / "python")])
    try:
        assert asked.start("1-1").startswith("A Python worker could not be started: ")
    finally:
        asked.close()


def test_the_pool_listens_on_loopback_alone(asked: Asked) -> None:
    at = {
        one.laddr.ip.removeprefix("::ffff:")
        for one in psutil.Process().net_connections()
        if one.status == psutil.CONN_LISTEN and one.laddr.port == asked.port
    }

    assert at == {"127.0.0.1"}


def test_a_worker_runs_in_this_very_python() -> None:
    assert worker_command("localhost:1", "1-1") == [sys.executable, "-m", "runners.flink.worker", "localhost:1", "1-1"]
