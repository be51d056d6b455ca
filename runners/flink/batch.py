"""Pipelines that end, on a Flink cluster in batch mode."""

from collections.abc import Callable
from typing import Any

import apache_beam as beam

from runners.direct import RunPipeline
from runners.flink.preflight import require
from runners.flink.settings import FlinkSettings
from runners.flink.submit import run_bounded
from transforms.io.kafka.target import KafkaTarget


def on_flink(settings: FlinkSettings) -> RunPipeline:
    """Runs each pipeline as a job of the cluster; InfrastructureFault where the cluster is not there, or a step raised one."""

    def run(build: Callable[[beam.Pipeline], None], _kafka: KafkaTarget | None = None) -> Any:
        require(settings)
        return run_bounded(build, settings)

    return run
