"""`backfill run`: the settings, the plan, the locks and the loop of one backfill, or of every interval that is due."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import structlog
import typer

from pipelines.backfill.flow import run_files, run_held
from pipelines.backfill.report import Ran, print_plan, print_ran, ran_object
from pipelines.job.on_runner import run_pipeline_on
from pipelines.options.backfill import HowOptions, IntoOptions, ScheduleOptions, SpanOptions
from pipelines.options.failures import FailureOptions
from pipelines.options.flink import FlinkOptions
from pipelines.options.flow import WriteOptions
from pipelines.options.kafka import DEFAULT_TOPICS, KafkaOptions
from pipelines.options.letter_place import DEFAULT_DEADLETTER_TOPIC
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.tenants import AdmissionOptions, RouteOptions
from pipelines.output.progress import Count
from pipelines.settings import FlowSettings, flow_settings
from runners.direct import RunPipeline
from runners.loops.backfill import BackfillTotals, SliceDone, SliceProgress, backfill, done_of, read_held
from runners.loops.stop import StopSignals
from runners.memory import tune_memory
from transforms.io.archive.files import Archive
from transforms.io.backfill.ledger import DONE, FAILED, RUNNING, STOPPED, BackfillLedger, Slice
from transforms.io.backfill.source import archive_files, kafka_ranges, slices_of_files, slices_of_ranges
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_admin.lease import Lease, Leased
from transforms.io.kafka.offsets import KafkaOffsets
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.scheduling.backfill_plan import ARCHIVE, KAFKA, Scope, due_intervals
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.outcomes import NO_TENANT
from transforms.records.tenancy.routes import route_of, topics_to_read
from transforms.records.topic_names import REGISTRY, TOPIC_NAMES

_LOG = structlog.get_logger("backfill")


class Asked(NamedTuple):
    """All that the command line says."""

    span: SpanOptions
    how: HowOptions
    schedule: ScheduleOptions
    into: IntoOptions
    kafka: KafkaOptions
    neo4j: Neo4jOptions
    registry: RegistryOptions
    routes: RouteOptions
    admission: AdmissionOptions
    writes: WriteOptions
    failures: FailureOptions
    flink: FlinkOptions

    def flow(self, scope: Scope) -> FlowSettings:
        """The flow's settings: not live, and without Kafka where the archive is read."""
        kafka = self.kafka.target() if scope.source == KAFKA else KafkaTarget("", "")
        rules = replace(self.admission.rules(scope.single_tenant), only=frozenset(scope.client_ids))
        neo4j = self.into.target(self.neo4j)
        told = flow_settings(
            kafka, neo4j, LetterPlace(DEFAULT_DEADLETTER_TOPIC), rules, self.routes, self.writes, self.failures, self.registry
        )
        return replace(told, live=False)


def run_asked(asked: Asked, *, as_json: bool) -> bool:
    """Do what the command line asks for, and tell of it; False where it was asked to stop before the end."""
    asked.how.check()
    asked.schedule.check(asked.span)
    now_ms = int(time.time() * 1000)
    late_ms = asked.how.late_ms()
    with ExitStack() as held:
        stop = held.enter_context(StopSignals())
        if asked.schedule.catch_up:
            first = asked.span.interval(0, asked.schedule.every_ms())
        else:
            first = asked.span.scope(now_ms, into=asked.into.into)
        flow = asked.flow(first)
        store = held.enter_context(closing(Neo4jGraphStore(flow.neo4j)))
        offsets = held.enter_context(closing(KafkaOffsets(flow.kafka))) if first.source == KAFKA else None
        run_one = run_pipeline_on(asked.how.runner, asked.flink, "graph-backfill")
        work = _Backfills(flow, store, offsets, asked.how, late_ms, stop, run_one)
        if not asked.how.dry_run:
            # As the job does: what is there stays as it is.
            store.ensure_schema()
        scopes = due(asked, work.ledger, now_ms) if asked.schedule.catch_up else [first]
        if asked.how.dry_run:
            print_plan([(scope, work.planned(scope)) for scope in scopes], as_json=as_json)
            return True
        tune_memory()
        ran: list[Ran] = []
        try:
            for scope in scopes:
                started = time.monotonic()
                ran.append(Ran(scope, BackfillTotals(), 0.0))
                work.run(scope, ran[-1].totals)
                ran[-1] = ran[-1]._replace(seconds=time.monotonic() - started)
                if ran[-1].totals.stopped:
                    break
        finally:
            print_ran(ran_object(ran), as_json=as_json)
        return not any(one.totals.stopped for one in ran)


def due(asked: Asked, ledger: BackfillLedger, now_ms: int) -> list[Scope]:
    """The intervals of the schedule that the ledger does not have as done."""
    schedule, span = asked.schedule, asked.span
    sample = span.interval(0, schedule.every_ms())
    known = [entry for entry in ledger.entries() if entry.scope.is_of_schedule(sample)]
    begin = span.scope(now_ms, into="").from_ms if span.from_ else min((entry.scope.from_ms for entry in known), default=None)
    done = [] if asked.how.again else [(one.scope.from_ms, one.scope.to_ms) for one in known if one.props["state"] == DONE]
    found = due_intervals(done, begin, now_ms - schedule.settle_ms(), schedule.every_ms(), schedule.most_intervals)
    if found.left_out:
        typer.echo(
            f"{found.left_out} older intervals are due too, and are left out by --most_intervals {schedule.most_intervals}; "
            "run them with --from and --to, or raise it.",
            err=True,
        )
    return [span.interval(*one) for one in found.intervals]


@dataclass(slots=True)
class _OfRun:
    """The ledger, for one run."""

    ledger: BackfillLedger
    scope: Scope

    def turn_slice(self, number: int, state: str, **told: Any) -> None:
        self.ledger.turn_slice(self.scope, number, state, **told)


class _Backfills:
    """What backfills have in common; the connections are the owner's."""

    def __init__(
        self,
        flow: FlowSettings,
        store: Neo4jGraphStore,
        offsets: KafkaOffsets | None,
        how: HowOptions,
        late_ms: int | None,
        stop: StopSignals,
        run_one: RunPipeline,
    ) -> None:
        self.ledger = BackfillLedger(store)
        self._flow = flow
        self._store = store
        self._offsets = offsets
        self._how = how
        self._late_ms = late_ms
        self._stop = stop
        self._run_one = run_one

    def planned(self, scope: Scope) -> list[Slice]:
        """What there is to read now, as slices."""
        if scope.source == ARCHIVE:
            return slices_of_files(archive_files(Archive(scope.archive), scope), self._how.slice_bytes, self._goes_first)
        assert self._offsets is not None
        if scope.topics:
            topics = list(scope.topics)
        else:
            topics = topics_to_read(DEFAULT_TOPICS.split(","), self._offsets.topics(), self._flow.patterns, self._flow.letters.topic)
        ranges = kafka_ranges(self._offsets, topics, scope.from_ms, scope.to_ms, self._late_ms)
        return slices_of_ranges(ranges, self._how.slice_offsets, self._goes_first)

    def _goes_first(self, topic: str) -> bool:
        """Registrations first: they decide whose other records are."""
        return route_of(topic, self._flow.patterns, TOPIC_NAMES).topic == REGISTRY

    def run(self, scope: Scope, totals: BackfillTotals) -> None:
        """Run one scope to its end, or until asked to stop, while its locks are held."""
        with ExitStack() as held:
            locks: list[Lease] = []
            for name, client_id in scope.locks.items():
                lease = Lease(self._store, name, self._how.lease_s, _leased(scope, client_id))
                if not lease.acquire(self._stop.wait):
                    totals.stopped = True
                    return
                held.callback(lease.release)
                locks.append(lease)
            self._run_locked(scope, totals, lambda: _check(locks))

    def _run_locked(self, scope: Scope, totals: BackfillTotals, check: Callable[[], None]) -> None:
        self.ledger.forget_old()
        if self._how.again or not self.ledger.is_planned(scope):
            if scope.as_of and not self._how.again:
                self._must_be_empty(scope)
            self.ledger.plan(scope, self.planned(scope))
        slices = self.ledger.slices(scope)
        left = [one for one in slices if one.state != DONE]
        totals.before = len(slices) - len(left)
        self.ledger.turn(scope, RUNNING)
        units = sum(one.units for one in left)
        what = "bytes of the archive" if scope.source == ARCHIVE else "offsets"
        try:
            with Count(what, units) as count:
                backfill(
                    left,
                    lambda number: self._slice(scope, number),
                    _OfRun(self.ledger, scope),
                    totals,
                    SliceProgress(units, count.advance),
                    should_stop=self._stop.asked,
                    before_done=check,
                )
        except InfrastructureFault as fault:
            self._note_failure(scope, fault)
            raise
        self.ledger.turn(scope, STOPPED if totals.stopped else DONE)

    def _slice(self, scope: Scope, number: int) -> SliceDone:
        one = self.ledger.slice(scope, number)
        if one.files:
            return done_of(run_files(self._run_one, self._flow, scope, one.files, skip_corrupt=self._how.skip_corrupt))
        assert self._offsets is not None
        return read_held(
            self._offsets, one.ranges, self._how.slice_bytes, lambda left, size: run_held(self._run_one, self._flow, scope, left, size)
        )

    def _must_be_empty(self, scope: Scope) -> None:
        there = self._store.tenants()
        found = sorted(set(there) & set(scope.client_ids)) if scope.client_ids else there
        if found:
            raise InfrastructureFault(
                f"{self._flow.neo4j.database} at {self._flow.neo4j.address} holds {', '.join(found[:5])} already, and a graph as of a time "
                "is built from nothing; name an empty database with --into, or give --again to add to what is there, newer things included."
            )

    def _note_failure(self, scope: Scope, fault: InfrastructureFault) -> None:
        try:
            self.ledger.turn(scope, FAILED, fault.sentence)
        except InfrastructureFault:
            _LOG.warning("the failure could not be entered in the ledger")


def _check(locks: list[Lease]) -> None:
    for lease in locks:
        lease.check()


def _leased(scope: Scope, client_id: str) -> Leased:
    whose = "of all tenants" if client_id == NO_TENANT else f"of {client_id}"
    return Leased(f"the backfill {whose}, {scope}", "wait for its end or stop it; another range or tenant may run at the same time")
