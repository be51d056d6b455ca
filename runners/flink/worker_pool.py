"""Starts Python workers for TaskManagers, on loopback alone: `python -m runners.flink.worker_pool --port=18050`.

In place of Beam's own pool, which listens on every interface (whoever reaches it can run code), starts whatever `python`
comes first on the PATH, and gives workers a pipe to print to that nobody reads, so that they stop for ever once it is full.
A TaskManager on another machine or in another pod has a pool of its own beside it.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Final

import grpc
import typer
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

HOST: Final = "127.0.0.1"
_GRACE_S: Final = 10.0
_THREADS: Final = 8
# A TaskManager asks after its pool all the time; gRPC would take that for an attack.
_PATIENT: Final = [("grpc.http2.max_pings_without_data", 0), ("grpc.http2.max_ping_strikes", 0)]

# What a worker is started with: the address of its TaskManager and its name there.
WorkerCommand = Callable[[str, str], list[str]]


def worker_command(control: str, worker_id: str) -> list[str]:
    return [sys.executable, "-m", "runners.flink.worker", control, worker_id]


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):  # type: ignore[misc]
    """The workers that were started here; each is one process, which prints to this one's output."""

    def __init__(self, command: WorkerCommand = worker_command) -> None:
        self._command = command
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def StartWorker(self, request: Any, _context: Any) -> Any:  # noqa: N802  (the name is gRPC's)
        try:
            worker = subprocess.Popen(
                self._command(request.control_endpoint.url, request.worker_id),
                stdin=subprocess.DEVNULL,
                # Signals for the pool are not for its workers; it ends them itself.
                start_new_session=True,
            )
        except OSError as error:
            return beam_fn_api_pb2.StartWorkerResponse(error=f"A Python worker could not be started: {error}.")
        with self._lock:
            # One whose TaskManager was killed ends by itself and is only to be collected.
            self._workers = {name: one for name, one in self._workers.items() if one.poll() is None}
            self._workers[request.worker_id] = worker
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(self, request: Any, _context: Any) -> Any:  # noqa: N802
        with self._lock:
            worker = self._workers.pop(request.worker_id, None)
        if worker is not None:
            _end([worker])
        return beam_fn_api_pb2.StopWorkerResponse()

    def close(self) -> None:
        """End every worker; none is left afterwards."""
        with self._lock:
            workers, self._workers = list(self._workers.values()), {}
        _end(workers)


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.terminate()
    for worker in workers:
        try:
            worker.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def serve(pool: WorkerPool, port: int) -> tuple[grpc.Server, int]:
    """The running server and its port; 0 for one that is free. Raises RuntimeError where the port is taken."""
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=_PATIENT)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    bound = server.add_insecure_port(f"{HOST}:{port}")
    server.start()
    return server, bound


def main(port: Annotated[int, typer.Option("--port", help="The port to listen on, on loopback.")]) -> None:
    """Serve until told to end (SIGTERM, SIGINT); the workers end with it."""
    told = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: told.set())
    pool = WorkerPool()
    server, _ = serve(pool, port)
    told.wait()
    server.stop(None)
    pool.close()


if __name__ == "__main__":
    typer.run(main)
