"""Whatever one record is, it ends as one outcome: with the real driver, the real readers, and everything that reads Kafka."""

import json
from collections.abc import Iterator

import pytest

from scripts.faulting.raw_records import RawRecord, produce_raw
from scripts.faulting.topics import forget_offsets
from scripts.sampling.record import RESOURCES, SampleRecord, json_bytes
from scripts.world import GROUP
from tests.support.in_memory import expected_digests
from tests.system.world import World
from transforms.io.graph_admin.quarantine import Quarantine
from transforms.io.neo4j.errors import RowRefused
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.planning.facts.mutations import UpsertNode
from transforms.planning.merge.fold import Interpreted
from transforms.records.outcomes import Outcome
from transforms.records.record import KafkaRecord, make_ver
from transforms.records.rejects import Reason
from transforms.steps.write_tenant import TenantWriter

AT_MS = 1_772_352_000_000
POD = {"op": "UPSERT", "at": "2026-03-01T08:00:00Z", "kind": "Pod", "namespace": "shop"}


def node(number: int, value: object) -> Interpreted:
    ver = make_ver(AT_MS * 1000, RESOURCES, 0, number)
    props = {"kind": "Pod", "ns": "shop", "name": f"p{number}", "restarts": value}
    record = KafkaRecord(RESOURCES, 0, number, AT_MS, b"af-10::x", b"{}")
    return Interpreted(UpsertNode("af-10", ver, f"pod:shop:p{number}", "", props, b"h"), record)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**70, "\ud800", object()])
def test_a_value_that_the_driver_cannot_send_is_its_row_s_fault_and_the_others_are_written(store: Neo4jGraphStore, value: object) -> None:
    batch = [node(number, value if number == 5 else number) for number in range(8)]

    settled = TenantWriter(store, Quarantine(store), 3).write("af-10", batch)

    refused = [(one.record.offset, str(outcome)) for one, outcome in settled.results if isinstance(outcome, RowRefused) and one.record]
    assert [offset for offset, _ in refused] == [5]
    assert "the driver cannot send a value" in refused[0][1]
    assert [outcome for _, outcome in settled.results if not isinstance(outcome, RowRefused)] == [Outcome.WRITTEN] * 7
    assert store.write_batch("af-10", [node(9, 1).mutation]).outcomes == [Outcome.WRITTEN], "the connection is as good as before"


BAD_NAMES: tuple[tuple[bytes, ...], ...] = (
    (b"\xff",),
    (b"client_id", b"\x80x"),
    (b"\xed\xa0\x80",),
    (b"caf\xe9", b"ce_id"),
    (b"\xef\xbf\xbd",),
)


def bad_headers() -> Iterator[RawRecord]:
    for number, names in enumerate(BAD_NAMES):
        value = json_bytes(POD | {"name": f"bad-{number}"})
        yield RawRecord(f"af-10::pod:shop:bad-{number}".encode(), value, AT_MS, tuple((name, b"v") for name in names))


@pytest.mark.parametrize("reader", ["bounded", "beam"])
def test_header_names_of_any_bytes_have_one_outcome_by_either_reader(world: World, reader: str) -> None:
    sound = [SampleRecord(RESOURCES, f"af-11::pod:shop:p{at}".encode(), json_bytes(POD | {"name": f"p{at}"}), AT_MS) for at in range(20)]
    for at, one in enumerate(bad_headers()):
        produce_raw(world.brokers, RESOURCES, at % 4, one)
    world.produce(sound)
    # Of a name with a zero byte both take what is before it.
    named = json_bytes(POD | {"name": "by-header"})
    produce_raw(world.brokers, RESOURCES, 0, RawRecord(b"pod:shop:by-header", named, AT_MS, ((b"client_id\0\xff", b"af-11"),)))
    sound.append(SampleRecord(RESOURCES, b"af-11::pod:shop:by-header", named, AT_MS))

    report = world.run_job(f"--kafka_reader={reader}")

    assert (report["read"], report["rejected"]) == (len(BAD_NAMES) + len(sound), len(BAD_NAMES))
    letters = world.deadletters()
    assert {(letter["reason"], letter["client_id"]) for letter in letters} == {(str(Reason.BAD_HEADER), "af-10")}
    assert world.digests() == expected_digests(sound)

    listed = json.loads(world.run("pipelines.deadletters", "list", "--json", "--letters=9").stdout)
    assert "bad_header" in json.dumps(listed)
    replayed = json.loads(world.run("pipelines.deadletters", "replay", "--json").stdout)
    assert (replayed["letters"], replayed["replayed"] + replayed["unavailable"]) == (len(BAD_NAMES), len(BAD_NAMES))
    assert replayed["written"] == 0
    if reader == "bounded":
        forget_offsets(world.brokers, GROUP)
        world.clear_graph()
        span = ("--from=2026-01-01T00:00:00Z", "--to=2026-06-01T00:00:00Z")
        filled = json.loads(world.run("pipelines.backfill", "run", "--json", *span).stdout)
        assert filled["rejected"] == len(BAD_NAMES)
        assert world.digests() == expected_digests(sound)
