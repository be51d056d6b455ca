"""Which records a backfill is of, where they are read and where they go."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import typer

from pipelines.options.checks import duration_s, names, one_of, usage_error
from pipelines.options.compare import side_target
from pipelines.options.flow import SingleTenant, single_tenant_id, tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.run import DIRECT, RUNNERS
from transforms.io.neo4j.target import Neo4jTarget
from transforms.planning.scheduling.backfill_plan import ARCHIVE, KAFKA, SOURCES, Scope
from transforms.records.record import microseconds

_DURATION: Final = re.compile(r"[0-9]+[smhd]")
_LEAST_EVERY_S: Final = 60.0


def moment_ms(flag: str, text: str, now_ms: int) -> int:
    """Milliseconds since 1970 of a time in ISO 8601 with its zone, or of a duration back from now."""
    if _DURATION.fullmatch(text):
        return now_ms - int(duration_s(flag, text) * 1000)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise usage_error(
            f"{flag} is {text!r}; write a time with its zone, 2026-03-01T08:00:00Z, or how long ago that is: 90s, 15m, 2h, 7d."
        )
    at_ms = microseconds(found) // 1000
    if not 0 <= at_ms <= now_ms:
        raise usage_error(f"{flag} is {text!r}; it must lie between 1970 and now.")
    return at_ms


@dataclass(frozen=True, slots=True)
class IntoOptions:
    """Another graph than the one that the job writes."""

    into: Annotated[
        str,
        typer.Option(
            "--into", help="Write another graph: bolt://host:port[/database], or /database of the server that is configured; made ready."
        ),
    ] = ""
    into_user: Annotated[str, typer.Option("--into_user", envvar="NEO4J_INTO_USER", help="User there.")] = ""
    into_password_file: Annotated[
        str,
        typer.Option("--into_password_file", envvar="NEO4J_INTO_PASSWORD_FILE", help="File with its password; or set NEO4J_INTO_PASSWORD."),
    ] = ""
    into_ca_file: Annotated[str, typer.Option("--into_ca_file", envvar="NEO4J_INTO_CA_FILE", help="As --neo4j_ca_file.")] = ""

    def target(self, neo4j: Neo4jOptions) -> Neo4jTarget:
        """The graph that is written."""
        if not self.into:
            return neo4j.target()
        return side_target("into", self.into, neo4j, self.into_user, self.into_password_file, self.into_ca_file)


@dataclass(frozen=True, slots=True)
class SpanOptions:
    """Of when and whose the records are."""

    from_: Annotated[
        str, typer.Option("--from", help="Records from this record timestamp on: 2026-03-01T08:00:00Z, or back from now: 2h.")
    ] = ""
    to: Annotated[str, typer.Option("--to", help="And before this one, likewise; now where it is left out.")] = ""
    as_of: Annotated[
        str,
        typer.Option("--as_of", help="Instead: build --into as the graph was then, of all records up to that time, from the beginning."),
    ] = ""
    client_id: Annotated[
        list[str] | None, typer.Option("--client_id", help="Records of these tenants alone, comma-separated; others are passed over.")
    ] = None
    topics: Annotated[
        str, typer.Option("--topics", help="Records of these topics alone, comma-separated; all of the job's, or of the archive.")
    ] = ""
    single_tenant: SingleTenant = ""
    source: Annotated[str, typer.Option("--source", help=f"{' | '.join(SOURCES)}. The archive where --archive names one, else Kafka.")] = ""
    archive: Annotated[
        str, typer.Option("--archive", envvar="ARCHIVE", help="The archive: a folder, or a URL of any filesystem that Beam knows.")
    ] = ""

    def scope(self, now_ms: int, *, into: str) -> Scope:
        """What is to be done; an error of use where that is not told, or cannot be."""
        if self.as_of:
            if not into:
                raise usage_error("--as_of builds a graph anew and needs --into, which must not hold the tenant yet.")
            if self.from_ or self.to:
                raise usage_error("--as_of takes all records up to that time; leave --from and --to out.")
            return self._scope(0, moment_ms("--as_of", self.as_of, now_ms) + 1, as_of=True)
        if not (self.from_ or into):
            raise usage_error(
                "--from is missing: say from when on, 2026-03-01T08:00:00Z or 2h; only with --into it may be left out, for all."
            )
        begin = moment_ms("--from", self.from_, now_ms) if self.from_ else 0
        end = moment_ms("--to", self.to, now_ms) if self.to else now_ms
        if begin >= end:
            raise usage_error(f"--from {self.from_} is not before --to {self.to or 'now'}.")
        return self._scope(begin, end)

    def _scope(self, begin: int, end: int, *, as_of: bool = False, every_ms: int = 0) -> Scope:
        source = one_of("--source", self.source or (ARCHIVE if self.archive else KAFKA), SOURCES)
        if source == ARCHIVE and not self.archive:
            raise usage_error("--source archive needs --archive, the folder or URL of the archive.")
        texts = self.client_id or []
        client_ids = sorted({tenant_id(name) for text in texts for name in names(text)})
        if texts and not client_ids:
            raise usage_error("--client_id names nothing; leave it out to mean all.")
        archive = self.archive if source == ARCHIVE else ""
        single = single_tenant_id(self.single_tenant)
        return Scope(begin, end, tuple(client_ids), tuple(sorted(names(self.topics))), source, archive, single, as_of, every_ms)

    def interval(self, begin: int, end: int) -> Scope:
        """One interval of a schedule, with the same settings."""
        return self._scope(begin, end, every_ms=end - begin)


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """Every interval of a schedule, once."""

    catch_up: Annotated[
        bool,
        typer.Option("--catch_up", help="Run every whole interval of --every that the ledger does not have as done; for a scheduler."),
    ] = False
    every: Annotated[str, typer.Option("--every", help="The length of an interval, with --catch_up: 15m, 1h, 1d.")] = "1h"
    settle: Annotated[
        str, typer.Option("--settle", help="An interval is whole only so long after its end: what was late has come by then.")
    ] = "10m"
    most_intervals: Annotated[
        int, typer.Option("--most_intervals", min=1, help="The newest of them that are due, at most; older ones are told, and left out.")
    ] = 168

    def every_ms(self) -> int:
        seconds = duration_s("--every", self.every)
        if seconds < _LEAST_EVERY_S:
            raise usage_error(f"--every is {self.every!r}; the least is 1m.")
        return int(seconds * 1000)

    def settle_ms(self) -> int:
        return int(duration_s("--settle", self.settle) * 1000)

    def check(self, span: SpanOptions) -> None:
        if self.catch_up and (span.to or span.as_of):
            raise usage_error(
                "--catch_up goes up to the last whole interval; leave --to and --as_of out. --from says where the schedule began."
            )


@dataclass(frozen=True, slots=True)
class HowOptions:
    """How a backfill goes."""

    runner: Annotated[
        str, typer.Option("--runner", help="DirectRunner | FlinkRunner | PortableRunner; on Flink each slice is a job in batch mode.")
    ] = DIRECT
    dry_run: Annotated[bool, typer.Option("--dry_run", help="Say what would be read, and write nothing.")] = False
    again: Annotated[bool, typer.Option("--again", help="Plan anew and do all of it, also what the ledger has as done.")] = False
    skip_corrupt: Annotated[
        bool, typer.Option("--skip_corrupt", help="Pass over what of the archive cannot be read, counted, instead of stopping there.")
    ] = False
    late_by: Annotated[
        str,
        typer.Option(
            "--late_by",
            help="Kafka: take no record to lie behind one that is so much later, and stop there: 1h. Left out: exact, to the end.",
        ),
    ] = ""
    slice_offsets: Annotated[
        int, typer.Option("--slice_offsets", min=1, help="Kafka: offsets between two entries of the ledger, at most.")
    ] = 200_000
    slice_bytes: Annotated[int, typer.Option("--slice_bytes", min=65536, help="Bytes of records that are worked on at once, about.")] = (
        64 * 1024 * 1024
    )
    lease_s: Annotated[
        float, typer.Option("--lease_s", min=1, help="Seconds after which a run that died on another machine is taken over from.")
    ] = 30.0

    def late_ms(self) -> int | None:
        return int(duration_s("--late_by", self.late_by) * 1000) if self.late_by else None

    def check(self) -> None:
        one_of("--runner", self.runner, RUNNERS)
