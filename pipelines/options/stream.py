"""How the job runs on Flink."""

from dataclasses import dataclass
from typing import Annotated, Final

import typer

from pipelines.options.checks import usage_error
from transforms.steps.arrival import ArrivalWindow

FLINK_RUNNERS: Final = ("FlinkRunner", "PortableRunner")


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """A job without an end on a Flink cluster, and how it is watched."""

    flink_master: Annotated[
        str, typer.Option("--flink_master", envvar="FLINK_MASTER", help="host:port of Flink's REST; the local cluster's unless told.")
    ] = ""
    job_endpoint: Annotated[
        str, typer.Option("--job_endpoint", envvar="JOB_ENDPOINT", help="host:port of Beam's job server; the local one unless told.")
    ] = ""
    artifact_endpoint: Annotated[
        str, typer.Option("--artifact_endpoint", envvar="ARTIFACT_ENDPOINT", help="host:port of its artifacts; the local one unless told.")
    ] = ""
    worker_pool: Annotated[
        str,
        typer.Option(
            "--worker_pool",
            envvar="WORKER_POOL",
            help="host:port of the pool of Python workers, as a TaskManager reaches it; the local one unless told.",
        ),
    ] = ""
    window_s: Annotated[
        int, typer.Option("--window_s", min=1, help="Seconds that a tenant's records are gathered before they are written.")
    ] = 2
    discovery_every_s: Annotated[
        float, typer.Option("--discovery_every_s", min=1, help="Seconds between two looks for new topics and partitions.")
    ] = 30.0
    checkpoint_s: Annotated[float, typer.Option("--checkpoint_s", min=1, help="Seconds between two checkpoints.")] = 10.0
    parallelism: Annotated[int, typer.Option("--parallelism", min=1, help="Subtasks of each step; at most the cluster's slots.")] = 2
    savepoint_path: Annotated[
        str, typer.Option("--savepoint_path", help="Go on from this savepoint, rather than from the group's committed offsets.")
    ] = ""
    detach: Annotated[
        bool,
        typer.Option(
            "--detach",
            help="Return once the job runs. Nobody then looks for new topics, judges silence, serves /metrics or tells of faults; the same "
            "command without it takes the watch up.",
        ),
    ] = False

    def window(self) -> ArrivalWindow:
        return ArrivalWindow(self.window_s)

    def check(self, runner: str) -> None:
        """An error of use where the runner and the options do not go together."""
        if runner == "PortableRunner" and not self.job_endpoint:
            raise usage_error("--runner=PortableRunner needs --job_endpoint HOST:PORT of a Beam job server.")
