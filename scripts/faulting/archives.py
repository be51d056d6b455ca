"""kill -9 of a run that archives and of a backfill, at moments that chance decides: nothing torn, lost or doubled."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from scripts.faulting.job import SMALL, Backfill, Job
from scripts.faulting.round import Commits, Round, Seen, await_that, must, must_be_the_graph_of
from scripts.sampling.record import SampleRecord
from scripts.world import World
from transforms.io.archive.files import Archive
from transforms.records.archive_format.archived import Archived

_SOURCES: Final = ("archive", "kafka")
_SLICES: Final = "MATCH (s:BackfillSlice) RETURN count(s) AS planned, count(CASE s.state WHEN 'done' THEN 1 END) AS done"
_READ: Final = "MATCH (s:BackfillSlice {state: 'done'}) RETURN sum(s.read) AS read"
Place = tuple[str, int, int]


def archived(root: str) -> list[Archived]:
    """Every record of every file, each file read whole; CorruptArchive where one is torn."""
    archive = Archive(root)
    return [one for file in archive.find(0, 2**62) for block in archive.blocks(file, skip_corrupt=False) for one in block]


def must_hold_every_record_once(world: World, found: list[Archived], total: int) -> None:
    """Return where every record is in the archive once, or was rejected before it could be."""
    places: Counter[Place] = Counter((one.record.topic, one.record.partition, one.record.offset) for one in found)
    doubled = [place for place, number in places.items() if number != 1]
    must(not doubled, f"{len(doubled)} records are in the archive twice, {doubled[:1]}")
    dead = {(letter["topic"], letter["partition"], letter["offset"]) for letter in world.deadletters()}
    kept = len(places) + len(dead - places.keys())
    must(kept == total, f"{kept} of {total} records are in the archive or the dead letters")


def kill_archiving_job(round_: Round) -> Seen:
    """The archive of a run that was killed holds every record once, and gives the same graph by itself."""
    world, records = round_.world, round_.records(clusters=2, resyncs=6)
    world.produce(records)
    with TemporaryDirectory(prefix="graph-archive-") as root, Commits(world) as commits:
        flags = (*SMALL, "--kafka_reader=bounded", f"--archive={root}")
        with Job(world, *flags) as job:
            commits.await_past(int(round_.random.uniform(0, 0.5) * len(records)))
            wanted = _files(root) + round_.random.randint(1, 40)
            await_that(lambda: _files(root) >= wanted or not job.goes_on, 120, f"{wanted} files of the archive")
            must(not job.ends_within(round_.random.uniform(0, 0.5)), "the run ended before it could be killed")
            job.kill()
        torn, at = archived(root), commits.look()
        must(at < len(records), "the kill came after the end: the stream is too short")
        with Job(world, *flags) as job:
            job.end().must_be(0).must_count_every_record_once()
        must_be_the_graph_of(world, records)
        must_hold_every_record_once(world, archived(root), len(records))
        world.clear_graph()
        with Backfill(world, f"--archive={root}") as backfill:
            backfill.end().must_be(0).must_count_every_record_once()
        must_be_the_graph_of(world, records)
    return Seen(f"{len(torn):,} archived, {at:,} of {len(records):,} committed")


def _files(root: str) -> int:
    return sum(1 for _ in Path(root).rglob("*.avro"))


def kill_backfill(round_: Round) -> Seen:
    """A backfill that was killed goes on after the slices that are done, to the graph of a clean run."""
    world, records = round_.world, round_.records(clusters=2, resyncs=6)
    source = _SOURCES[round_.number % len(_SOURCES)]
    world.produce(records)
    with TemporaryDirectory(prefix="graph-archive-") as root:
        with Job(world, "--kafka_reader=bounded", f"--archive={root}") as job:
            job.end().must_be(0)
        held = len(archived(root))
        world.clear_graph()
        sized = (f"--archive={root}", "--slice_bytes=65536") if source == "archive" else ("--slice_offsets=100",)
        done = _kill_somewhere(round_, sized)
        with Backfill(world, *sized) as backfill:
            told = backfill.end().must_be(0)
        told.must_count_every_record_once()
        _must_be_done(world, records, held if source == "archive" else len(records))
        must(told.report["slices_before"] == done, f"{done} slices were done, and {told.report['slices_before']} were taken as done")
        return Seen(f"{source}, {done} of {told.report['slices_before'] + told.report['slices']} slices done")


def _kill_somewhere(round_: Round, sized: tuple[str, ...]) -> int:
    """Kill a backfill in its plan, or in a slice; how many slices were done."""
    world = round_.world
    with Backfill(world, *sized) as backfill:
        await_that(lambda: world.cypher(_SLICES)[0]["planned"] > 0, 60, "the plan of a backfill")
        some = int(round_.random.uniform(0, 0.6) * world.cypher(_SLICES)[0]["planned"])
        await_that(lambda: world.cypher(_SLICES)[0]["done"] >= some, 120, f"{some} slices of a backfill")
        must(not backfill.ends_within(round_.random.uniform(0, 0.3)), "the backfill ended before it could be killed")
        backfill.kill()
    found = world.cypher(_SLICES)[0]
    must(found["done"] < found["planned"], "the kill came after the end: the stream is too short")
    return int(found["done"])


def _must_be_done(world: World, records: list[SampleRecord], read: int) -> None:
    must_be_the_graph_of(world, records)
    found = world.cypher(_SLICES)[0]
    must(found["planned"] == found["done"] > 0, f"{found['done']} of {found['planned']} slices are done")
    counted = world.cypher(_READ)[0]["read"]
    must(counted == read, f"the slices tell of {counted} records where there are {read}")
