"""Brings a pipeline onto Flink, and returns when it really runs there.

Beam's job service says RUNNING as soon as it has a pipeline, whether or not Flink can take it afterwards; so Flink is asked.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import apache_beam as beam
import grpc

from runners.flink.answers import Job
from runners.flink.beam_options import beam_options
from runners.flink.rest import FlinkRest
from runners.flink.settings import FlinkSettings
from transforms.io.faults import InfrastructureFault, fault_sentence

_START_S: Final = 180.0
_POLL_S: Final = 0.25
_FAILED: Final = "FAILED"
_DONE: Final = "FINISHED"


def submit(build: Callable[[beam.Pipeline], None], settings: FlinkSettings) -> str:
    """Build the pipeline, bring it onto Flink, and return the Flink job's id: of a streaming one once every task of it runs,
    of a bounded one once it is done.

    Raises InfrastructureFault with the cause where Flink or the job service would not take it, where it failed, and where not
    all tasks ran within three minutes (it goes on trying then, and `scripts/flink cancel` ends it). Failures of the pipeline's
    building are raised as they are.
    """
    return _submit(build, settings)[0]


def run_bounded(build: Callable[[beam.Pipeline], None], settings: FlinkSettings) -> Any:
    """Run a pipeline that ends on Flink; its result once it is done, with its metrics. Raises as `submit` does."""
    _, result = _submit(build, replace(settings, streaming=False))
    result.wait_until_finish()
    return result


def _submit(build: Callable[[beam.Pipeline], None], settings: FlinkSettings) -> tuple[str, Any]:
    with FlinkRest(settings.addresses.master) as rest:
        before = {job.id for job in rest.jobs()}
        result = _hand_over(build, settings)
        limit = time.monotonic() + _START_S
        while True:
            job = _find(rest, settings.job_name, before)
            if job is None:
                _require_alive(result, settings)
            elif job.state == _DONE or (settings.streaming and job.works):
                return job.id, result
            elif job.ended or (not settings.streaming and rest.cause(job.id)):
                raise _failed(rest, job)
            if time.monotonic() > limit and (job is None or settings.streaming):
                raise InfrastructureFault(_late(rest, settings, job))
            time.sleep(_POLL_S)


def _hand_over(build: Callable[[beam.Pipeline], None], settings: FlinkSettings) -> Any:
    pipeline = beam.Pipeline(options=beam_options(settings))
    build(pipeline)
    try:
        return pipeline.run()
    except grpc.RpcError as error:
        said = (error.details() if isinstance(error, grpc.Call) else str(error)) or type(error).__name__
        raise InfrastructureFault(
            f"Beam's job service at {settings.addresses.job_endpoint} did not take the job ({said[:200]}); start it with "
            "`scripts/flink up`, or name another with --job_endpoint."
        ) from None


def _find(rest: FlinkRest, name: str, before: set[str]) -> Job | None:
    """The newest job of this name that was not there before."""
    found = [job for job in rest.jobs() if job.name == name and job.id not in before]
    return found[-1] if found else None


def _require_alive(result: Any, settings: FlinkSettings) -> None:
    """Return unless the job service has given the job up before Flink had it."""
    if result.state != _FAILED:
        return
    try:
        result.wait_until_finish()
    except RuntimeError as error:
        said = fault_sentence(error) or str(error).partition(": ")[2] or str(error)
    else:
        said = "no reason is given"
    raise InfrastructureFault(
        f"Beam's job service at {settings.addresses.job_endpoint} could not bring the job onto Flink: {said.strip()[:400]}; "
        "its log says more."
    )


def _failed(rest: FlinkRest, job: Job) -> InfrastructureFault:
    """What is raised for a job that failed. A bounded one would be tried again for ever, so it is ended: who runs it decides."""
    cause = rest.cause(job.id) or "Flink gives no reason; its log may"
    if not job.ended:
        rest.cancel(job.id)
    return InfrastructureFault(f"Job {job.id} ({job.name}) on Flink at {rest.address} failed: {cause}")


def _late(rest: FlinkRest, settings: FlinkSettings, job: Job | None) -> str:
    if job is None:
        return (
            f"Flink at {rest.address} shows no job {settings.job_name!r} {_START_S:.0f} s after it was submitted; the job service at "
            f"{settings.addresses.job_endpoint} may serve another cluster, see its log."
        )
    free = rest.overview().free_slots
    return (
        f"Job {job.id} ({job.name}) on Flink at {rest.address} is {job.state} and runs {job.tasks.running} of {job.tasks.total} tasks "
        f"after {_START_S:.0f} s ({rest.cause(job.id) or 'no failure is known'}; {free} slots are free, it takes {settings.parallelism}); "
        f"it goes on trying until `scripts/flink cancel {job.id}`."
    )
