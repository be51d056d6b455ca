"""How the job runs on Flink."""

from dataclasses import dataclass
from typing import Annotated

import typer

from pipelines.options.run import FLINK
from runners.flink.settings import FlinkAddresses, FlinkSettings
from runners.local.flink_cluster import read_addresses
from transforms.steps.arrival import ArrivalWindow


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """A job without an end on a Flink cluster, and how it is watched."""

    flink_master: Annotated[
        str, typer.Option("--flink_master", envvar="FLINK_MASTER", help="host:port of Flink's REST; the local cluster's unless told.")
    ] = ""
    job_endpoint: Annotated[
        str, typer.Option("--job_endpoint", envvar="JOB_ENDPOINT", help="host:port of Beam's job service; the local one unless told.")
    ] = ""
    flink_worker_pool: Annotated[
        str,
        typer.Option(
            "--flink_worker_pool",
            envvar="FLINK_WORKER_POOL",
            help="host:port of the pool of Python workers, as a TaskManager reaches it; the local one unless told.",
        ),
    ] = ""
    flink_expansion: Annotated[
        str,
        typer.Option(
            "--flink_expansion",
            envvar="FLINK_EXPANSION",
            help="host:port of the expansion service for Flink, which is not the stack's connector; the local one unless told.",
        ),
    ] = ""
    window_s: Annotated[
        int,
        typer.Option("--window_s", envvar="WINDOW_S", min=1, help="Seconds that a tenant's records are gathered before they are written."),
    ] = 2
    discovery_every_s: Annotated[
        float,
        typer.Option(
            "--discovery_every_s", envvar="DISCOVERY_EVERY_S", min=1, help="Seconds between two looks for new topics and partitions."
        ),
    ] = 30.0
    checkpoint_s: Annotated[
        float, typer.Option("--checkpoint_s", envvar="CHECKPOINT_S", min=0.1, help="Seconds between two checkpoints.")
    ] = 10.0
    flink_parallelism: Annotated[
        int,
        typer.Option(
            "--flink_parallelism", envvar="FLINK_PARALLELISM", min=1, help="Subtasks of each step; the cluster needs as many slots."
        ),
    ] = 2
    flink_python_workers: Annotated[
        int, typer.Option("--flink_python_workers", envvar="FLINK_PYTHON_WORKERS", min=1, help="Python processes per TaskManager.")
    ] = 2
    savepoint_path: Annotated[
        str, typer.Option("--savepoint_path", help="Go on from this savepoint or retained checkpoint, not from the committed offsets.")
    ] = ""
    bounded: Annotated[
        bool,
        typer.Option(
            "--bounded",
            help="Take in what is there and end, as on the DirectRunner: each slice is a job of Flink's in batch mode, of at least two "
            "minutes, since to begin one takes seconds.",
        ),
    ] = False
    detach: Annotated[
        bool,
        typer.Option(
            "--detach",
            help="Return once the job runs. Nobody then looks for new topics, judges silence, serves /metrics or tells of faults; the "
            "same command without it takes the watch up.",
        ),
    ] = False

    def window(self) -> ArrivalWindow:
        return ArrivalWindow(self.window_s)

    def settings(self, runner: str, job_name: str = "") -> FlinkSettings:
        """What a submission needs. job_name: "" where it is found out later."""
        return FlinkSettings(
            job_name,
            self._addresses(),
            tell_master=runner == FLINK,
            parallelism=self.flink_parallelism,
            checkpoint_ms=int(self.checkpoint_s * 1000),
            savepoint=self.savepoint_path,
            python_workers=self.flink_python_workers,
        )

    def _addresses(self) -> FlinkAddresses:
        """Each as named, else as the local cluster wrote it down, else as it would."""
        local = read_addresses() or FlinkAddresses()
        return FlinkAddresses(
            self.flink_master or local.master,
            self.job_endpoint or local.job_endpoint,
            self.flink_expansion or local.expansion,
            self.flink_worker_pool or local.worker_pool,
        )
