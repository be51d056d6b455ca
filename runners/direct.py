"""The DirectRunner, said explicitly: Beam's FnApiRunner, in this process.

Beam's own `DirectRunner` switches between implementations by the shape of the pipeline and may try to download
and start Prism; naming the FnApiRunner leaves nothing to that switch (docs/adr/001).
"""

from collections.abc import Callable
from typing import Any, Final

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from runners.beam_patches import patch_beam
from runners.memory import give_back
from transforms.io.faults import InfrastructureFault, fault_sentence
from transforms.io.kafka.connector_faults import connector_fault
from transforms.io.kafka.target import KafkaTarget

# What runs a pipeline that ends, and gives its result once it is done: `run_pipeline`, or one for a cluster.
RunPipeline = Callable[[Callable[[beam.Pipeline], None], KafkaTarget | None], Any]

_CONNECT_S: Final = 10.0


def run_pipeline(build: Callable[[beam.Pipeline], None], kafka: KafkaTarget | None = None) -> Any:
    """Build and run one bounded pipeline; its result once it is done.

    Raises InfrastructureFault where a step raised one, whatever the runner wrapped around it, and where the Java side
    could not use Kafka. kafka: what the Java side reads from, None where the pipeline has none.
    """
    patch_beam()
    pipeline = beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([]))
    build(pipeline)
    try:
        result = pipeline.run()
        result.wait_until_finish()
    except Exception as error:
        sentence = fault_sentence(error)
        if sentence is not None:
            raise InfrastructureFault(sentence) from None
        fault = connector_fault(kafka, error) if kafka else None
        if fault is None:
            raise
        raise fault from None
    finally:
        give_back()
    return result


def check_java_side(address: str) -> None:
    """Return when the Java side of the Kafka connector answers at host:port; InfrastructureFault otherwise."""
    channel = grpc.insecure_channel(address)
    try:
        grpc.channel_ready_future(channel).result(timeout=_CONNECT_S)
    except grpc.FutureTimeoutError:
        raise InfrastructureFault(
            f"The Java side of Beam's Kafka connector does not answer at {address}; start it with `scripts/stack up`, "
            "or name another with --expansion_service."
        ) from None
    finally:
        channel.close()
