"""What is patched in Beam is there, and another version of Beam is refused."""

import apache_beam
import pytest
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.worker import statesampler

from runners import beam_patches


def test_what_is_patched_is_there_and_has_the_form_that_the_patch_expects() -> None:
    assert apache_beam.__version__ == beam_patches.PATCHED_VERSION
    assert hasattr(worker_handlers.GrpcServer, "_DEFAULT_SHUTDOWN_TIMEOUT_SECS")
    assert hasattr(worker_handlers, "grpc")
    assert len(statesampler.StateSampler.__init__.__defaults__) == 1


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apache_beam, "__version__", "2.71.0")
    with pytest.raises(RuntimeError, match=r"Beam is 2\.71\.0, and runners/beam_patches\.py patches 2\.70\.0"):
        beam_patches.patch_beam()
