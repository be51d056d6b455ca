"""Where Flink is, for whatever runs there."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from pipelines.options.run import FLINK
from runners.flink.settings import FlinkAddresses, FlinkSettings


@dataclass(frozen=True, slots=True)
class FlinkOptions:
    """A Flink cluster, and Beam's services beside it."""

    CONNECTS: ClassVar[bool] = True

    flink_master: Annotated[
        str, typer.Option("--flink_master", envvar="FLINK_MASTER", help="On Flink: host:port of its REST; the local cluster's unless told.")
    ] = ""
    job_endpoint: Annotated[
        str,
        typer.Option("--job_endpoint", envvar="JOB_ENDPOINT", help="On Flink: host:port of Beam's job service; the local one unless told."),
    ] = ""
    flink_worker_pool: Annotated[
        str,
        typer.Option(
            "--flink_worker_pool",
            envvar="FLINK_WORKER_POOL",
            help="On Flink: host:port of the pool of Python workers, as a TaskManager reaches it; the local one unless told.",
        ),
    ] = ""
    flink_expansion: Annotated[
        str,
        typer.Option(
            "--flink_expansion",
            envvar="FLINK_EXPANSION",
            help="On Flink: host:port of its expansion service, which is not the stack's connector; the local one unless told.",
        ),
    ] = ""
    flink_parallelism: Annotated[
        int,
        typer.Option(
            "--flink_parallelism",
            envvar="FLINK_PARALLELISM",
            min=1,
            help="On Flink: subtasks of each step; the cluster needs as many slots.",
        ),
    ] = 2
    flink_python_workers: Annotated[
        int,
        typer.Option("--flink_python_workers", envvar="FLINK_PYTHON_WORKERS", min=1, help="On Flink: Python processes per TaskManager."),
    ] = 2

    def settings(self, runner: str, job_name: str = "") -> FlinkSettings:
        """What a submission needs. job_name: "" where it is found out later."""
        return FlinkSettings(
            job_name,
            self._addresses(),
            tell_master=runner == FLINK,
            parallelism=self.flink_parallelism,
            python_workers=self.flink_python_workers,
        )

    def _addresses(self) -> FlinkAddresses:
        """Each as named, else as the local cluster wrote it down, else as it would."""
        from runners.local.flink_cluster import read_addresses  # noqa: PLC0415 - only where it is asked for

        local = read_addresses() or FlinkAddresses()
        return FlinkAddresses(
            self.flink_master or local.master,
            self.job_endpoint or local.job_endpoint,
            self.flink_expansion or local.expansion,
            self.flink_worker_pool or local.worker_pool,
        )
