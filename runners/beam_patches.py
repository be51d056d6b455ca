"""Every change that this project makes to private parts of Beam, made only to the version that it was measured with."""

from typing import Any, Final

import apache_beam as beam
import grpc
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker import statesampler

# Before another version: look at each patch below in the new source, run tests/unit/runners/test_beam_patches.py, measure again.
PATCHED_VERSION: Final = "2.70.0"
_SHUTDOWN_GRACE_S: Final = 0.5
_SAMPLING_MS: Final = 20


class _LoopbackGrpc:
    """gRPC, but its servers listen on loopback where they are told to listen everywhere.

    Beam's runner serves the Java worker on ports of every interface, hard-coded; through them others could run code and
    read files with the rights of this process. The Java worker is told of `localhost` anyway.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(grpc, name)

    @staticmethod
    def server(*arguments: Any, **options: Any) -> Any:
        server = grpc.server(*arguments, **options)
        open_port = server.add_insecure_port
        server.add_insecure_port = lambda address: open_port(address.replace("[::]", "127.0.0.1"))
        return server


_LOOPBACK_GRPC: Final = _LoopbackGrpc()


def patch_beam() -> None:
    """Patch the FnApiRunner of this process; safe to repeat. RuntimeError for a version of Beam that nobody has looked at."""
    if beam.__version__ != PATCHED_VERSION:
        raise RuntimeError(f"Beam is {beam.__version__}, and runners/beam_patches.py patches {PATCHED_VERSION}; see the comment there.")
    # Beam gives its gRPC servers 5 s to end calls that the Java worker never ends by itself: 5 s a slice, measured, with nothing left to
    # do in them.
    worker_handlers.GrpcServer._DEFAULT_SHUTDOWN_TIMEOUT_SECS = _SHUTDOWN_GRACE_S  # noqa: SLF001
    worker_handlers.grpc = _LOOPBACK_GRPC
    # What samples the steps' states ends only when it wakes: with Beam's 200 ms every stage of every slice waits 100 ms for that.
    statesampler.StateSampler.__init__.__defaults__ = (_SAMPLING_MS,)
