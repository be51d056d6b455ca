"""The archive of a real run: every record once, no secret, whole after a full disk; and the same graph again."""

import random
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from scripts.faulting.archives import archived, must_hold_every_record_once
from scripts.sampling.record import EVENTS, LOGS, RESOURCES, TOPOLOGY, SampleRecord, json_bytes
from scripts.sampling.stream import sample_stream
from tests.support.full_disk import full_disk
from tests.system.world import World
from transforms.planning.interpret.dispatch import interpret
from transforms.records.archive_format.archived import Archived
from transforms.records.archive_format.paths import parse_path
from transforms.records.decode import decode_record
from transforms.records.rejects import Fault
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.elements import Resolved
from transforms.steps.resolve_tenants import resolve
from transforms.testing.memory_graph import MemoryGraphStore
from transforms.testing.memory_incidents import MemoryIncidents

T = 1_772_352_000_000
HIDDEN = "hunter2hunter2"
AT = "2026-03-01T08:00:00Z"


def digests(records: list[Archived]) -> dict[str, str]:
    """The graphs that the archive alone gives."""
    store, resolver = MemoryGraphStore(), TenantResolver(TenantRules())
    for one in records:
        decoded = decode_record(one.record)
        owned = resolve(decoded, resolver)
        if isinstance(owned, Resolved) and decoded.body is not None:
            try:
                found = interpret(one.record.topic, decoded.body, owned.client_id, decoded.ver, raw_key=decoded.key.raw)
            except Fault:
                continue  # A later step than the archive's rejected it.
            store.write_batch(owned.client_id, found)
    MemoryIncidents(store).analyse(store.tenants)
    return {client_id: store.digest(client_id).hexdigest() for client_id in store.tenants}


def secrets() -> list[SampleRecord]:
    secret = {"op": "UPSERT", "at": AT, "kind": "Secret", "namespace": "shop", "name": "db", "spec": {"data": {"password": HIDDEN}}}
    env = [{"name": "DB_PASSWORD", "value": HIDDEN}]
    pod = {"op": "UPSERT", "at": AT, "kind": "Pod", "namespace": "shop", "name": "p", "spec": {"containers": [{"name": "c", "env": env}]}}
    line = {
        "event_id": "l",
        "event_time": AT,
        "severity": "ERROR",
        "message": f"password={HIDDEN}",
        "pod_name": "p",
        "pod_namespace": "shop",
    }
    event = {"event_id": "e", "event_time": AT, "reason": "Failed", "message": f"pull of https://me:{HIDDEN}@r/x failed", "subject": None}
    bodies: list[tuple[str, bytes, Any]] = [
        (RESOURCES, b"af-99::secret:shop:db", secret),
        (RESOURCES, b"af-99::pod:shop:p", pod),
        (LOGS, b"af-99::p", line),
        (LOGS, b"af-99::p", line | {"severity": "INFO", "message": f"token: {HIDDEN}"}),
        (EVENTS, b"af-99::e", event),
    ]
    return [SampleRecord(topic, key, json_bytes(body), T) for topic, key, body in bodies]


def test_the_archive_of_a_run_holds_every_record_once_no_secret_and_the_same_graph(world: World, tmp_path: Path) -> None:
    stream = sample_stream(clusters=3, resyncs=3, seed=5, poison_classes=99).records + secrets()
    total = world.produce(stream)
    root = tmp_path / "archive"

    report = world.run_job("--kafka_reader=bounded", f"--archive={root}", "--log_level=ERROR")

    assert report["read"] == total
    found = archived(str(root))
    must_hold_every_record_once(world, found, total)
    assert len(world.deadletters()) == report["rejected"]
    assert report["filtered"] > 0
    assert report["control"] > 0
    assert not [one for one in found if one.withheld]
    assert digests(found) == world.digests()
    _must_not_hold(root, HIDDEN)
    assert {one.client_id for one in found} == {"", "af-10", "af-11", "af-12", "af-99"}
    assert all(parse_path(path.relative_to(root).as_posix()) for path in root.rglob("*") if path.is_file())

    before = sorted(map(repr, found))
    told = msgspec.json.decode(world.run("pipelines.backfill", "compact", f"--archive={root}", "--json").stdout)
    assert told["corrupt"] == {}
    assert sorted(map(repr, archived(str(root)))) == before


def _must_not_hold(root: Path, text: str) -> None:
    """Not in a byte of any file, deflated or inflated."""
    assert any(text.encode() in (one.value or b"") for one in secrets())
    for path in root.rglob("*.avro"):
        assert text.encode() not in path.read_bytes()
    for one in archived(str(root)):
        assert text.encode() not in msgspec.msgpack.encode(one)


def kill_writers(root: Path, done: threading.Event) -> None:
    """Whatever writes to that archive, as soon as it is there."""
    while not done.wait(0.02):
        for one in psutil.process_iter(["cmdline"]):
            if one.info["cmdline"] and "transforms.io.archive.writer" in one.info["cmdline"] and str(root) in one.info["cmdline"]:
                with suppress(psutil.NoSuchProcess):
                    one.kill()


def test_a_run_whose_writer_is_killed_stops_with_one_sentence_and_the_next_goes_on(world: World, tmp_path: Path) -> None:
    total = world.produce(sample_stream(clusters=2, resyncs=2, seed=6, poison_classes=9).records)
    flags = ("--kafka_reader=bounded", f"--archive={tmp_path}", "--log_level=ERROR")
    done = threading.Event()
    killing = threading.Thread(target=kill_writers, args=(tmp_path, done))
    killing.start()
    try:
        said = world.run_job(*flags, expect=1)["stderr"]
    finally:
        done.set()
        killing.join()

    assert said.startswith(f"The process that writes the archive at {tmp_path} ended with -9; nothing after the last committed offsets")
    assert len(said.strip().splitlines()) == 1
    assert world.committed() == {}
    assert world.run_job(*flags)["read"] == total
    must_hold_every_record_once(world, archived(str(tmp_path)), total)


def test_both_readers_archive_the_same(world: World, tmp_path: Path) -> None:
    total = world.produce(sample_stream(clusters=1, resyncs=1, seed=2, poison_classes=0).records)

    for group, reader in (("one", "bounded"), ("two", "beam")):
        root = tmp_path / reader
        report = world.run_job(f"--kafka_reader={reader}", f"--archive={root}", f"--kafka_group={group}")
        assert report["read"] == total

    assert sorted(map(repr, archived(str(tmp_path / "bounded")))) == sorted(map(repr, archived(str(tmp_path / "beam"))))


def test_single_tenant_mode_archives_no_other_tenant(world: World, tmp_path: Path) -> None:
    world.produce(sample_stream(clusters=2, resyncs=1, seed=2, poison_classes=0).records)

    world.run_job("--kafka_reader=bounded", f"--archive={tmp_path}", "--client_id=af-11")

    assert {one.client_id for one in archived(str(tmp_path))} == {"af-11"}


def test_a_full_disk_stops_the_run_with_nothing_committed_and_the_next_goes_on(world: World, tmp_path: Path) -> None:
    edge = {"op": "UPSERT", "at": AT, "from": "pod:shop:p", "to": "node::n", "type": "RUNS_ON"}
    # Of ids that cannot be compressed.
    ids = [random.Random(at).randbytes(300).hex() for at in range(400)]
    records = [SampleRecord(TOPOLOGY, b"af-10::e%d" % at, json_bytes(edge | {"id": one}), T) for at, one in enumerate(ids)]
    total = world.produce(records)
    with full_disk(20_000):
        said = world.run_job("--kafka_reader=bounded", f"--archive={tmp_path}", "--log_level=ERROR", expect=1)["stderr"]

    assert said.startswith(
        f"The archive at {tmp_path} cannot be written (File too large); nothing after the last committed offsets counts as done: "
    )
    assert len(said.strip().splitlines()) == 1
    assert world.committed() == {}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".avro"]
    assert world.run_job("--kafka_reader=bounded", f"--archive={tmp_path}")["read"] == total
    must_hold_every_record_once(world, archived(str(tmp_path)), total)
    assert world.deadletters() == []


def test_a_folder_that_cannot_be_written_stops_the_run_with_nothing_committed(world: World, tmp_path: Path) -> None:
    world.produce(sample_stream(clusters=1, resyncs=1, seed=2, poison_classes=0).records)
    (tmp_path / "file").write_text("no folder")

    said = world.run_job("--kafka_reader=bounded", f"--archive={tmp_path / 'file'}", "--log_level=ERROR", expect=1)["stderr"]

    assert said.startswith(f"--archive is {tmp_path / 'file'}, which cannot be written (File exists)")
    assert world.committed() == {}
