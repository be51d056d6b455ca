"""A run of the job: one pass over what the topics hold, or micro-batches until asked to stop."""

from contextlib import ExitStack
from typing import Any

from pipelines.flow import build
from pipelines.job.resources import Job
from pipelines.options.run import FollowOptions
from pipelines.output.run_report import ProgressBar
from pipelines.settings import RunSettings
from runners.direct import RunPipeline, run_pipeline, tune_gc
from runners.loops.bounded import RunTotals
from runners.loops.follow import Follow
from runners.loops.stop import StopSignals
from runners.observe.metrics import Monitor
from runners.observe.monitor_server import MonitorServer
from runners.settled import run_settled
from transforms.io.kafka.offsets import OffsetRange
from transforms.planning.scheduling.slices import SliceSize


def run(settings: RunSettings, follow: FollowOptions, run_one: RunPipeline = run_pipeline) -> RunTotals:
    """Take in what the topics hold, in slices, with a commit after each; once, or until asked to stop.

    run_one: runs the pipeline of a slice.
    """

    def run_slice(ranges: list[OffsetRange], size: SliceSize) -> Any:
        return run_settled(lambda: run_one(lambda pipeline: build(pipeline, ranges, size, settings), settings.flow.kafka))

    tune_gc()
    with ExitStack() as held:
        stop = held.enter_context(StopSignals())
        monitor = Monitor(follow.healthy_for_s())
        if follow.metrics_port:
            held.enter_context(MonitorServer(monitor, follow.metrics_host, follow.metrics_port))
        job = held.enter_context(Job(settings, run_slice, stop, monitor))
        if follow.follow:
            return Follow(job.run_once, follow.every_s, follow.max_faults, stop, monitor).run()
        totals = RunTotals()
        job.run_once(totals, held.enter_context(ProgressBar()))
        return totals
