"""What must be there before a job is brought onto Flink; each thing that is not is one sentence with the remedy."""

from collections.abc import Collection, Iterator
from typing import Final

import apache_beam as beam
import grpc
from apache_beam.io.kafka import ReadFromKafka
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from runners.flink.answers import Overview
from runners.flink.rest import FlinkRest
from runners.flink.settings import FLINK_VERSION, FlinkSettings
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.target import KafkaTarget

_CONNECT_S: Final = 3.0
_UP: Final = "start it with `scripts/flink up`"
_NATIVE_READ: Final = "beam:transform:read:v1"
_IN_TASK_MANAGER: Final = "EMBEDDED"


def require(settings: FlinkSettings, kafka: KafkaTarget | None = None) -> None:
    """Return where a job can be submitted; InfrastructureFault with what is first found missing otherwise."""
    for sentence in find_faults(settings, kafka):
        raise InfrastructureFault(sentence)


def find_faults(settings: FlinkSettings, kafka: KafkaTarget | None = None) -> Iterator[str]:
    """All that is missing, most fundamental first. kafka: what the job reads, None where it reads none."""
    at = settings.addresses
    try:
        with FlinkRest(at.master) as rest:
            yield from judge_cluster(at.master, rest.overview(), settings.parallelism)
    except InfrastructureFault as fault:
        yield fault.sentence
    if not _serves_jobs(at.job_endpoint):
        yield f"Beam's job service does not answer at {at.job_endpoint}; {_UP}, or name another with --job_endpoint."
    if not _connects(at.worker_pool):
        yield (
            f"The Python worker pool does not answer at {at.worker_pool}; {_UP}, or name another with --flink_worker_pool, as the "
            "TaskManager reaches it."
        )
    if kafka is not None:
        yield from _judge_expansion(at.expansion, kafka)


def judge_cluster(master: str, seen: Overview, parallelism: int) -> Iterator[str]:
    """Whether the cluster is of the version that Beam's runner here is made for, and has room."""
    if not f"{seen.version}.".startswith(f"{FLINK_VERSION}."):
        yield f"Flink at {master} is version {seen.version}; the runner here is made for {FLINK_VERSION}, use a cluster of it."
    if seen.task_managers < 1:
        yield f"Flink at {master} has no TaskManager; `scripts/flink up` starts one that is missing."
    elif seen.free_slots < parallelism:
        yield (
            f"Flink at {master} has {seen.free_slots} of {seen.slots} slots free and the job takes {parallelism}; cancel another job, "
            "give the cluster more slots, or lower --flink_parallelism."
        )


def _connects(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=_CONNECT_S)
        except grpc.FutureTimeoutError:
            return False
    return True


def _serves_jobs(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        jobs = beam_job_api_pb2_grpc.JobServiceStub(channel)
        try:
            jobs.DescribePipelineOptions(beam_job_api_pb2.DescribePipelineOptionsRequest(), timeout=_CONNECT_S)
        except grpc.RpcError:
            return False
    return True


def _judge_expansion(address: str, kafka: KafkaTarget) -> Iterator[str]:
    """Whether Kafka's read comes from there as Flink needs it: asked by expanding one, which reads nothing."""
    if not _connects(address):
        yield f"The expansion service for Flink does not answer at {address}; {_UP}, or name another with --flink_expansion."
        return
    pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([]))
    try:
        pipeline | ReadFromKafka(kafka.java_config(), ["preflight"], with_metadata=True, expansion_service=address)
    except (grpc.RpcError, RuntimeError) as error:
        said = error.details() if isinstance(error, grpc.Call) else str(error)
        yield (
            f"What answers at {address} cannot expand Kafka's read ({(said or '').strip()[:200]}); {_UP}, or name another with "
            "--flink_expansion."
        )
        return
    parts = pipeline.to_runner_api().components
    reads = {one.spec.urn for one in parts.transforms.values()}
    places = {one.urn for one in parts.environments.values()}
    yield from judge_read(address, reads, places)


def judge_read(address: str, transforms: Collection[str], environments: Collection[str]) -> Iterator[str]:
    """Whether a read that was expanded is Flink's native one and runs within the TaskManager; by the URNs it is made of."""
    if _NATIVE_READ not in transforms or _IN_TASK_MANAGER not in environments:
        yield (
            f"The expansion service at {address} is not one for Flink: it must be started with --experiments=use_deprecated_read and "
            "--defaultEnvironmentType=EMBEDDED, or quiet topics hold windows back for ever; `scripts/flink up` starts one."
        )
