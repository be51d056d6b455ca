"""The Java side of Beam's Kafka connector, asked for what the job asks of it: to expand its read."""

import re
from typing import Final

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from transforms.io.answers import ProbeError
from transforms.io.kafka.offsets import OffsetRange
from transforms.io.kafka.target import KafkaTarget
from transforms.planning.scheduling.slices import SliceSize
from transforms.steps.read import ReadRecords
from transforms.steps.readers import BEAM

_CONNECT_S: Final = 3.0
_VERSION: Final = re.compile(r"beam:version:sdk_base:.*:([0-9][^:]*)")
_NOTHING: Final = SliceSize(max_records=1, max_bytes=1, max_read_s=1)


def ask_version(address: str, target: KafkaTarget) -> str | ProbeError:
    """The version of Beam that answers at host:port, "" where it does not say; nothing is read.

    Raises InfrastructureFault where the target's login cannot be told to a Java consumer.
    """
    channel = grpc.insecure_channel(address)
    try:
        grpc.channel_ready_future(channel).result(timeout=_CONNECT_S)
    except grpc.FutureTimeoutError:
        return ProbeError("the Java side of Beam's Kafka connector does not answer")
    finally:
        channel.close()
    read = ReadRecords(BEAM, target, [OffsetRange("doctor", 0, 0, 1)], _NOTHING, address)
    pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([]))
    try:
        pipeline | read
    except (grpc.RpcError, RuntimeError) as error:
        return ProbeError(f"what answers there cannot read Kafka ({_first_line(error)})")
    return _version_in(pipeline.to_runner_api())


def _first_line(error: Exception) -> str:
    said = error.details() if isinstance(error, grpc.Call) else str(error)
    return next(iter((said or type(error).__name__).strip().splitlines()))[:200]


def _version_in(pipeline: beam_runner_api_pb2.Pipeline) -> str:
    """What the environments of the expanded transforms say; an environment may be a choice of several."""
    environments = list(pipeline.components.environments.values())
    for one in environments:
        if one.urn == "beam:env:anyof:v1":
            environments += beam_runner_api_pb2.AnyOfEnvironmentPayload.FromString(one.payload).environments
    java = [capability for one in environments for capability in one.capabilities if "java" in capability]
    found = [match[1] for capability in java if (match := _VERSION.fullmatch(capability))]
    return found[0] if found else ""
