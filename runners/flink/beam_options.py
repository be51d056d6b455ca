"""The flags of a submission as Beam's options. Beam's Python side knows few of the Flink runner's and would warn of the rest."""

import argparse

from apache_beam.options.pipeline_options import PipelineOptions

from runners.flink.options import pipeline_flags
from runners.flink.settings import FlinkSettings


class FlinkFlags(PipelineOptions):  # type: ignore[misc]
    """Those that only the Java side reads; sent to it by these names."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        for number in (
            "max_bundle_size",
            "max_bundle_time_mills",
            "checkpointing_interval",
            "checkpoint_timeout_millis",
            "number_of_execution_retries",
        ):
            parser.add_argument(f"--{number}", type=int)
        for text in ("savepoint_path", "state_backend", "state_backend_storage_path"):
            parser.add_argument(f"--{text}")
        for switch in (
            "finish_bundle_before_checkpointing",
            "externalized_checkpoints_enabled",
            "retain_externalized_checkpoints_on_cancellation",
            "allow_non_restored_state",
        ):
            parser.add_argument(f"--{switch}", action="store_true", default=None)


def beam_options(settings: FlinkSettings) -> PipelineOptions:
    return PipelineOptions(pipeline_flags(settings))
