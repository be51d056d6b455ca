"""What one tenant sends to stop, slow or flood the others: each is judged by the neighbours' graphs and by their delay."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.request import urlopen

import psutil

from scripts.faulting.buggy import BUG
from scripts.faulting.job import FOLLOW, Command
from scripts.faulting.raw_records import RawRecord, produce_raw
from scripts.faulting.round import TOGETHER, Commits, Round, Seen, must, must_be_the_graph_of
from scripts.sampling.cluster import BEGIN
from scripts.sampling.record import EVENTS, RESOURCES, SampleRecord, json_bytes
from scripts.world import World

HOSTILE: Final = "af-66"
AT: Final = BEGIN.isoformat().replace("+00:00", "Z")
AT_MS: Final = int(BEGIN.timestamp() * 1000)
_KEY: Final = f"{HOSTILE}::pod:shop:".encode()
_COMMITTED_S: Final = 120.0
# From so many records on, what they come to is worked out for many of a tenant at once.
_MANY: Final = 10_000
_GROWTH_BYTES: Final = 60 * 1024 * 1024
_LOG_LINES: Final = 400
_METRICS_BYTES: Final = 200_000
_ASKED: Final = 600
Send = Callable[[], int]


def pod(name: str, **more: Any) -> SampleRecord:
    body = {"op": "UPSERT", "at": AT, "kind": "Pod", "namespace": "shop", "name": name, **more}
    return SampleRecord(RESOURCES, _KEY + name.encode(), json_bytes(body), AT_MS)


def _event(count: object) -> SampleRecord:
    attributes = [
        {"key": "k8s.event.uid", "value": {"stringValue": "e"}},
        {"key": "k8s.event.count", "value": count},
        {"key": "k8s.object.kind", "value": {"stringValue": "Pod"}},
        {"key": "k8s.object.name", "value": {"stringValue": "p"}},
    ]
    logs = [{"resource": {}, "scopeLogs": [{"logRecords": [{"timeUnixNano": str(AT_MS * 1_000_000), "attributes": attributes}]}]}]
    return SampleRecord(EVENTS, _KEY, json_bytes({"resourceLogs": logs}), AT_MS)


def _harmless(number: int) -> list[SampleRecord]:
    """As much traffic of the same tenant that is as it should be."""
    return [pod(f"sound-{at % 50}") for at in range(number)]


class Neighbours:
    """A run that follows, and how long the others' records wait in it: first among harmless traffic, then among hostile."""

    def __init__(self, round_: Round, job: Command, commits: Commits, harmless: list[SampleRecord]) -> None:
        self._round = round_
        self._world = round_.world
        self._job = job
        self._commits = commits
        self._harmless = harmless
        self._records = round_.records(poison_classes=0)
        third = len(self._records) // 3
        self._parts = [self._records[:third], self._records[third : 2 * third], self._records[2 * third :]]
        self._committed = 0
        # What the process does for the first time takes longer.
        self._seconds(self._parts[0], lambda: self._world.produce(self._harmless[:100]))
        self.without_s = self._seconds(self._parts[1], lambda: self._world.produce(self._harmless))
        self.among_s = 0.0
        self._taken: Sequence[SampleRecord] = ()

    def meet(self, send: Send, taken: Sequence[SampleRecord] = ()) -> None:
        """Send what is hostile among the neighbours' records; their graphs and their delay must be as without it.

        taken: what of it is no reject, and so is part of its own tenant's graph.
        """
        self.among_s = self._seconds(self._parts[2], send)
        self._round.must_be_in_time("records", self.without_s, self.among_s)
        self._taken = taken
        self.must_be_as_expected()

    def meet_again(self, send: Send) -> None:
        """Send more of the like, of which nothing is taken, and wait until it is committed."""
        self._seconds((), send)
        self.must_be_as_expected()

    def must_be_as_expected(self) -> None:
        records = [*self._records, *self._harmless, *self._taken]
        must_be_the_graph_of(self._world, records, at_once=1 if len(records) < _MANY else TOGETHER)

    @property
    def said(self) -> str:
        return f"the others waited for {self.among_s:.1f} s, for {self.without_s:.1f} s without"

    def _seconds(self, records: Sequence[SampleRecord], send: Send) -> float:
        self._committed += send() + self._world.produce(records)
        started = time.monotonic()
        while self._commits.look() < self._committed:
            waited = time.monotonic() - started
            must(self._job.goes_on, f"the run ended: {self._job.end().said[-600:]!r}" if not self._job.goes_on else "")
            must(waited < _COMMITTED_S, f"what was sent was not committed in {waited:.0f} s")
            time.sleep(0.05)
        return time.monotonic() - started


def poison_integers(round_: Round) -> Seen:
    """Numbers that no graph can hold, one by one or only in their sum, and several in one bundle."""
    most = 2**63 - 1
    restarts = {"containerStatuses": [{"restartCount": most}, {"restartCount": most}]}
    counts = [{"intValue": "9999999999999999999"}, {"intValue": str(2**63)}, {"intValue": "-9223372036854775809"}, {"intValue": "9" * 4000}]
    bad = [pod(f"bad-{at}", status=restarts) for at in range(3)] + [_event(count) for count in counts]
    bad *= 2 if round_.short else 20
    with following(round_, len(bad)) as (neighbours, _):
        neighbours.meet(lambda: round_.world.produce(bad))
        must_be_letters(round_.world, {"limit_exceeded": len(bad)})
    return Seen(f"{len(bad)} records; {neighbours.said}")


def poison_headers(round_: Round) -> Seen:
    """Header names that are not UTF-8, among others and alone, on a record with a value and on a tombstone."""
    world = round_.world
    value = pod("bad").value
    names: tuple[tuple[bytes, ...], ...] = ((b"\xff\xfe",), (b"client_id", b"\x80"), (b"\xed\xa0\x80", b"ce_id"), (b"a\xc3",))
    bad = [RawRecord(_KEY + b"bad", held, AT_MS, tuple((name, b"x") for name in each)) for each in names for held in (value, None)]

    def send() -> int:
        for at, one in enumerate(bad):
            produce_raw(world.brokers, RESOURCES, at % 4, one)
        return len(bad)

    with following(round_, len(bad)) as (neighbours, _):
        neighbours.meet(send)
        must_be_letters(world, {"bad_header": len(bad)})
        world.run("pipelines.deadletters", "list", "--letters=20")
    return Seen(f"{len(bad)} records; {neighbours.said}")


def flood_schema_ids(round_: Round) -> Seen:
    """Ids that no registry can have, and a flood of random ones that this registry has not."""
    number = 1_000 if round_.short else 20_000
    wild = [0, 2**31, 2**32 - 1]
    ids = wild + [round_.random.randrange(1, 2**31) for _ in range(number)]
    bad = [SampleRecord(RESOURCES, _KEY + b"bad", b"\0" + one.to_bytes(4, "big") + b"payload", AT_MS) for one in ids]
    with _registry() as registry, following(round_, len(bad), f"--schema_registry_url={registry.url}") as (neighbours, _):
        neighbours.meet(lambda: round_.world.produce(bad))
        must_be_letters(round_.world, {"schema_unknown": len(bad)})
        asked = registry.asked
        must(not asked.keys() & {str(one) for one in wild}, "the registry was asked for an id that none can have")
        must(0 < asked.total() <= _ASKED, f"the registry was asked {asked.total()} times for {number} random ids")
    return Seen(f"{len(bad):,} records, {asked.total()} questions; {neighbours.said}")


def invent_prefixes(round_: Round) -> Seen:
    """Records of tenants that nobody knows, each of another one, with a fault each."""
    number = 2_000 if round_.short else 40_000
    bad = [SampleRecord(RESOURCES, f"invented-{at}::pod:shop:p".encode(), b"{not json", AT_MS) for at in range(3 * number)]
    with _free_port() as port:
        flags = ("--log_level=INFO", f"--metrics_port={port}")
    with following(round_, number, *flags) as (neighbours, job):
        neighbours.meet(lambda: round_.world.produce(bad[:number]))
        neighbours.meet_again(lambda: round_.world.produce(bad[number : 2 * number]))
        # By now every cache, of two generations each, is as large as it may be; what grows from here on would grow for ever.
        before = job.memory_bytes()
        neighbours.meet_again(lambda: round_.world.produce(bad[2 * number :]))
        grown = job.memory_bytes() - before
        metrics = urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read()
        must(b'client_id="invented-' not in metrics, "a tenant that nobody knows has a series of its own")
        must(b'client_id="af-10"' in metrics, "a tenant that is known has none")
        must(len(metrics) < _METRICS_BYTES, f"the metrics are {len(metrics):,} bytes")
        must(grown < _GROWTH_BYTES, f"the memory grew by {grown:,} bytes")
        lines = len(job.stop().must_be(0).said.splitlines())
        must(lines < _LOG_LINES, f"the log has {lines:,} lines")
    told = f"{grown / 1e6:+.0f} MB, {len(metrics) / 1e3:.0f} kB of metrics, {lines} lines"
    return Seen(f"{number:,} records, three times: {told}; {neighbours.said}")


def meet_defects(round_: Round) -> Seen:
    """A defect of the job itself in each of its steps, planted, that the records of one tenant meet."""
    world = round_.world
    steps = ("decode", "resolve_tenant", "interpret", "fold", "plan", "write")
    bad = [pod(f"{BUG}{step}-{at}") for step in steps for at in range(2)]
    with following(round_, len(bad), module="scripts.faulting.buggy") as (neighbours, _):
        neighbours.meet(lambda: world.produce(bad))
        must_be_letters(world, {"internal": len(bad)})
        found = {letter["step"] for letter in world.deadletters()}
        must(found == {*steps}, f"the defects were met in {sorted(found)}")
    return Seen(f"{len(bad)} records in {len(steps)} steps; {neighbours.said}")


def must_be_letters(world: World, wanted: dict[str, int]) -> None:
    found = Counter(letter["reason"] for letter in world.deadletters())
    must(found == wanted, f"the dead letters are {dict(found)} instead of {wanted}")


class _Following(Command):
    """A run that follows."""

    def memory_bytes(self) -> int:
        return int(psutil.Process(self._process.pid).memory_info().rss)


@contextmanager
def following(
    round_: Round, number: int, *flags: str, module: str = "pipelines.graph_build", harmless: list[SampleRecord] | None = None
) -> Iterator[tuple[Neighbours, _Following]]:
    """A run that follows; the net is as in production, whatever this process has.

    number: of records that are hostile. harmless: what they are compared with, where that is not as many small ones about few objects.
    """
    world = round_.world
    arguments = ("--runner=DirectRunner", "--json", "--log_level=ERROR", *FOLLOW, *flags)
    process = world.start(module, *arguments, GRAPH_BUILD_UNFORESEEN="")
    with Commits(world) as commits, _Following(process) as job:
        yield Neighbours(round_, job, commits, harmless or _harmless(number)), job


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield held.getsockname()[1]


class _Registry(ThreadingHTTPServer):
    """A schema registry without a schema; asked: for which ids it was asked, and how often."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Registry

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/subjects":
            self._answer(200, [])
            return
        self.server.asked[path.rpartition("/")[2]] += 1
        # As a registry does that is some way off.
        time.sleep(0.002)
        self._answer(404, {"error_code": 40403, "message": "Schema not found"})

    def _answer(self, status: int, body: Any) -> None:
        encoded = json_bytes(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Thousands of questions are no news."""


@contextmanager
def _registry() -> Iterator[_Registry]:
    with _Registry() as registry:
        serving = Thread(target=registry.serve_forever, daemon=True)
        serving.start()
        try:
            yield registry
        finally:
            registry.shutdown()
