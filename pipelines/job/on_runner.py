"""What runs a pipeline that ends: this process, or a Flink cluster in batch mode."""

from pipelines.options.flink import FlinkOptions
from pipelines.options.run import DIRECT
from runners.direct import RunPipeline, run_pipeline


def run_pipeline_on(runner: str, flink: FlinkOptions, job_name: str) -> RunPipeline:
    """runner: as --runner names it. job_name: what each pipeline is called on a cluster."""
    if runner == DIRECT:
        return run_pipeline
    from runners.flink.batch import on_flink  # noqa: PLC0415 - the DirectRunner needs none of Flink's parts

    return on_flink(flink.settings(runner, job_name))
