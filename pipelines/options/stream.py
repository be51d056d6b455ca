"""How a stream goes, and how it is watched."""

from dataclasses import dataclass, replace
from typing import Annotated

import typer

from runners.flink.settings import FlinkSettings
from transforms.steps.arrival import ArrivalWindow


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """A job without an end on a Flink cluster, and how it is watched."""

    window_s: Annotated[
        int,
        typer.Option(
            "--window_s", envvar="WINDOW_S", min=1, help="On Flink: seconds that a tenant's records are gathered before they are written."
        ),
    ] = 2
    discovery_every_s: Annotated[
        float,
        typer.Option(
            "--discovery_every_s",
            envvar="DISCOVERY_EVERY_S",
            min=1,
            help="On Flink: seconds between two looks for new topics and partitions.",
        ),
    ] = 30.0
    checkpoint_s: Annotated[
        float, typer.Option("--checkpoint_s", envvar="CHECKPOINT_S", min=0.1, help="On Flink: seconds between two checkpoints.")
    ] = 10.0
    savepoint_path: Annotated[
        str,
        typer.Option(
            "--savepoint_path", help="On Flink: go on from this savepoint or retained checkpoint, not from the committed offsets."
        ),
    ] = ""
    bounded: Annotated[
        bool,
        typer.Option(
            "--bounded",
            help="On Flink: take in what is there and end, as on the DirectRunner: each slice is a job in batch mode, of at least two "
            "minutes, since to begin one takes seconds.",
        ),
    ] = False
    detach: Annotated[
        bool,
        typer.Option(
            "--detach",
            help="On Flink: return once the job runs. Nobody then looks for new topics, judges silence, serves /metrics or tells of "
            "faults; the same command without it takes the watch up.",
        ),
    ] = False

    def window(self) -> ArrivalWindow:
        return ArrivalWindow(self.window_s)

    def on(self, flink: FlinkSettings) -> FlinkSettings:
        """The settings of a submission, with those of a stream."""
        return replace(flink, checkpoint_ms=int(self.checkpoint_s * 1000), savepoint=self.savepoint_path)
