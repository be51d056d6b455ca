"""A run of the job: one pass over what the topics hold, or micro-batches until asked to stop."""

from contextlib import ExitStack
from typing import Any

from pipelines.flow import build
from pipelines.job.resources import Job
from pipelines.job.start import installed_version
from pipelines.options.run import FollowOptions
from pipelines.output.run_report import ProgressBar
from pipelines.settings import RunSettings
from runners.direct import RunPipeline, run_pipeline
from runners.loops.bounded import RunTotals
from runners.loops.follow import Follow
from runners.loops.handover import Handover
from runners.loops.standby import Standby
from runners.loops.stop import StopSignals
from runners.memory import tune_memory
from runners.observe.metrics import Monitor
from runners.observe.monitor_server import MonitorServer
from runners.settled import run_settled
from transforms.io.archive.folders import must_take_files
from transforms.io.kafka.offsets import OffsetRange
from transforms.planning.scheduling.slices import SliceSize


def run(settings: RunSettings, follow: FollowOptions, run_one: RunPipeline = run_pipeline) -> RunTotals:
    """Take in what the topics hold, in slices, with a commit after each; once, or until asked to stop.

    run_one: runs the pipeline of a slice. InfrastructureFault at once where a folder that this process writes takes no files.
    """

    def run_slice(ranges: list[OffsetRange], size: SliceSize) -> Any:
        return run_settled(lambda: run_one(lambda pipeline: build(pipeline, ranges, size, settings), settings.flow.kafka))

    if settings.flow.in_one_process:
        for flag, root in (("--archive", settings.flow.archive), ("--deadletter_path", settings.flow.letters.path)):
            if root:
                must_take_files(flag, root)
    tune_memory()
    with ExitStack() as held:
        stop = held.enter_context(StopSignals())
        monitor = Monitor(follow.healthy_for_s())
        monitor.built(installed_version(), installed_version("apache-beam"), settings.reader)
        if follow.metrics_port:
            held.enter_context(MonitorServer(monitor, follow.metrics_host, follow.metrics_port))
        job = held.enter_context(Job(settings, run_slice, stop, monitor, waits=follow.follow))
        if follow.standby:
            held.enter_context(Handover(stop, job.give_back))
            if not Standby(job.attempt, follow.max_faults, stop, monitor).run():
                return RunTotals(stopped=True)
        if follow.follow:
            return Follow(job.run_once, follow.every_s, follow.max_faults, stop, monitor).run()
        totals = RunTotals()
        job.run_once(totals, held.enter_context(ProgressBar()))
        return totals
