"""How a run goes: once or on and on, by which reader, in which slices."""

from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

import typer

from pipelines.options.checks import completed, one_of, usage_error
from transforms.steps.readers import BEAM, BOUNDED, READERS

AUTO: Final = "auto"
DIRECT: Final = "DirectRunner"
FLINK: Final = "FlinkRunner"
PORTABLE: Final = "PortableRunner"
RUNNERS: Final = (DIRECT, FLINK, PORTABLE)
_STALE_CYCLES: Final = 6
_CLUSTER_SLICE_S: Final = 120.0
_LEAST_STALE_S: Final = 120.0

KafkaReader = Annotated[
    str,
    typer.Option(
        "--kafka_reader",
        autocompletion=completed(AUTO, *READERS),
        help="auto | beam | bounded. beam: Beam's ReadFromKafka, needs the Java side; bounded: exact ranges, in this process. "
        "auto: bounded with --follow; else beam where its Java side is, in the local stack or where --expansion_service says.",
    ),
]


class ReaderChoice(NamedTuple):
    """A reader, and why it was taken."""

    reader: str
    why: str


def chosen_reader(kafka_reader: str, *, follow: bool, java_side: str) -> ReaderChoice:
    """The reader that the flag means, checked. java_side: host:port of the connector's Java side, "" where there is none."""
    one_of("--kafka_reader", kafka_reader, (AUTO, *READERS))
    if kafka_reader != AUTO:
        return ReaderChoice(kafka_reader, "as --kafka_reader says")
    if follow:
        return ReaderChoice(BOUNDED, "a run that goes on reads by itself")
    if java_side:
        return ReaderChoice(BEAM, f"its Java side is at {java_side}")
    return ReaderChoice(BOUNDED, "no Java side of Beam's Kafka connector is named; that of the local stack serves the local stack alone")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run reads, and in which slices."""

    runner: Annotated[
        str, typer.Option("--runner", autocompletion=completed(*RUNNERS), help="DirectRunner | FlinkRunner | PortableRunner.")
    ] = "DirectRunner"
    kafka_reader: KafkaReader = AUTO
    slice_bytes: Annotated[
        int, typer.Option("--slice_bytes", min=65536, help="Bytes of records between two commits of offsets, at most.")
    ] = 64 * 1024 * 1024
    slice_s: Annotated[
        float,
        typer.Option("--slice_s", min=0.1, help="Seconds that a slice should take, at most; how soon a run that is asked to stop does."),
    ] = 10.0
    lease_s: Annotated[
        float, typer.Option("--lease_s", min=1, help="Seconds after which a run that died on another machine is taken over from.")
    ] = 30.0

    def seconds_of_slice(self) -> float:
        """What a slice should take: where each is a job of a cluster's, long enough that to begin it counts for little."""
        return self.slice_s if self.runner == DIRECT else max(self.slice_s, _CLUSTER_SLICE_S)

    def reader(self, *, follow: bool, java_side: str = "") -> ReaderChoice:
        """java_side: as in `chosen_reader`."""
        return chosen_reader(self.kafka_reader, follow=follow or self.runner != DIRECT, java_side=java_side)

    def streams(self, *, bounded: bool) -> bool:
        """Whether the job runs without an end, on Flink; an error of use for a runner that it does not run on.

        bounded: it is told to end all the same.
        """
        one_of("--runner", self.runner, RUNNERS)
        if self.runner == DIRECT:
            return False
        wrong = BEAM if bounded else BOUNDED
        if self.kafka_reader == wrong:
            raise usage_error(f"--kafka_reader={wrong} is not for --runner={self.runner}{' --bounded' * bounded}; leave it at auto.")
        return not bounded


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """Micro-batches, and what a supervisor sees of them."""

    follow: Annotated[
        bool, typer.Option("--follow", help="Go on in micro-batches until SIGTERM, which ends the slice at work, commits and exits 0.")
    ] = False
    every_s: Annotated[float, typer.Option("--every_s", min=0, help="Seconds from one micro-batch to the next, with --follow.")] = 10.0
    standby: Annotated[
        bool,
        typer.Option(
            "--standby",
            help="With --follow: where another run of the group is at work, wait until it ends or dies, then take over. "
            "Told to stop, hand over within 2 s.",
        ),
    ] = False
    max_faults: Annotated[
        int, typer.Option("--max_faults", min=1, help="Infrastructure faults in a row that end --follow; it waits between them.")
    ] = 10
    metrics_port: Annotated[
        int,
        typer.Option(
            "--metrics_port", envvar="METRICS_PORT", min=0, max=65535, help="Serve /metrics, /healthz and /readyz here; 0: do not."
        ),
    ] = 0
    metrics_host: Annotated[
        str, typer.Option("--metrics_host", envvar="METRICS_HOST", help="Address to serve them on; loopback unless told.")
    ] = "127.0.0.1"
    stale_s: Annotated[
        float,
        typer.Option(
            "--stale_s", min=0, help="Seconds without a micro-batch after which /healthz says 503; 0: 6 times --every_s, at least 120."
        ),
    ] = 0.0

    def healthy_for_s(self) -> float:
        return self.stale_s or max(self.every_s * _STALE_CYCLES, _LEAST_STALE_S)

    def check(self, *, streams: bool = False) -> None:
        """streams: the job runs on Flink, and is watched."""
        if self.follow and streams:
            raise usage_error("--follow is for --runner=DirectRunner; on Flink the job goes on by itself.")
        if self.standby and not self.follow:
            raise usage_error("--standby is for --follow: a run that ends has nothing to stand by for.")
        if self.metrics_port and not (self.follow or streams):
            raise usage_error(
                "--metrics_port is for --follow and for Flink; a run that ends tells its figures at its end, with --json for machines."
            )
