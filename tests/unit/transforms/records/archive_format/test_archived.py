"""What a file of the archive is called and holds, and that nothing spoiled in it passes for a record."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import fastavro
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.support.archive_samples import all_sorts, archived
from tests.support.patience import examples
from tests.support.wire import AT_MS
from transforms.records.archive_format import container as avro_blocks
from transforms.records.archive_format import encoding as avro_format
from transforms.records.archive_format import record_blocks as archive_blocks
from transforms.records.archive_format.archived import ARCHIVE_SCHEMA, Archived, Withheld, from_avro, group_of
from transforms.records.archive_format.container import Corrupt, encode_file, read_blocks, read_header
from transforms.records.archive_format.encoding import fingerprint, sized, varint
from transforms.records.archive_format.paths import Group, hour_of, parse_path, path_of
from transforms.records.archive_format.record_blocks import ARCHIVE, decode_usual, encode_blocks
from transforms.records.record import KafkaRecord

MEBIBYTE = 1024 * 1024


def file_of(records: Sequence[Archived]) -> bytes:
    return encode_file(ARCHIVE.format, records).data


def many() -> list[Archived]:
    """Enough for several blocks."""
    return [archived(at, value=bytes(str(at), "ascii") * 100) for at in range(5000)]


def read(data: bytes) -> list[Archived]:
    """All records; Corrupt where anything is wrong."""
    source = io.BytesIO(data)
    found: list[Archived] = []
    for block in read_blocks(ARCHIVE.format, source, read_header(ARCHIVE.format, source)):
        if isinstance(block, Corrupt):
            raise block
        found += block
    return found


def test_what_is_written_is_read_again() -> None:
    for records in (all_sorts(), many()):
        assert read(file_of(records)) == records


def test_any_reader_of_avro_reads_the_blocks() -> None:
    """fastavro reads Zstandard only with another package, so it is given the same file with its blocks inflated."""
    records = all_sorts()
    plain = io.BytesIO()
    data = io.BytesIO(file_of(records))
    header = read_header(ARCHIVE.format, data)
    start = data.tell()
    (count, held) = avro_blocks._read_frame(data, header.sync, 11) or (0, b"")
    inflated = zstandard.ZstdDecompressor().decompress(held)
    plain.write(file_of(records)[:start].replace(b"\x12zstandard", b"\x08null"))
    plain.write(varint(count) + varint(len(inflated)) + inflated + header.sync)
    plain.seek(0)

    assert [from_avro(one) for one in fastavro.reader(plain) if isinstance(one, dict)] == records


LONGS = st.integers(-(2**63), 2**63 - 1)
BYTES = st.none() | st.binary(max_size=20) | st.integers(4090, 4100).map(bytes)


@settings(max_examples=examples(100), deadline=None)
@given(LONGS, LONGS, st.integers(0, 2**31 - 1), BYTES, BYTES, st.booleans())
def test_what_is_encoded_by_hand_is_what_fastavro_encodes(
    offset: int, at: int, partition: int, key: bytes, value: bytes, flag: bool
) -> None:
    headers = (("ä", key), ("", value)) if flag else ()
    record = KafkaRecord("t", partition, offset, at, key, value, headers, flag)
    one = Archived(record, "af-10", flag, Withheld(partition, b"h", flag) if flag else None)
    stream = io.BytesIO()
    held = one.withheld and {"bytes": one.withheld.size_bytes, "sha256": one.withheld.sha256, "truncated": one.withheld.truncated}
    names = [{"name": name, "value": value} for name, value in record.headers]
    fields = {name: getattr(record, name) for name in ("topic", "partition", "offset", "timestamp_ms", "is_broker_time", "key", "value")}
    fastavro.schemaless_writer(
        stream, ARCHIVE_SCHEMA, {**fields, "headers": names, "client_id": "af-10", "redacted": flag, "withheld": held}
    )

    assert list(encode_blocks([one, one])) == [(2, stream.getvalue() * 2)]


RECORDS = st.builds(
    KafkaRecord,
    st.sampled_from(["t", "ä"]) | st.just("t"),
    st.integers(0, 3),
    st.integers(0, 2**20) | LONGS,
    st.integers(2**40, 2**40 + 2**20) | LONGS,
    BYTES,
    BYTES,
    st.just(()) | st.just((("h", b"x"),)),
    st.booleans(),
)
ARCHIVED = st.builds(Archived, RECORDS, st.just("af-10"), st.booleans(), st.none() | st.just(Withheld(1, b"h")))
ALIKE = st.builds(
    lambda offset, at, key, value, flag: Archived(KafkaRecord("t", 300, offset, at, key, value, (), flag), "af-10", flag),
    st.integers(0, 2**63 - 1) | st.integers(0, 2**20),
    st.integers(2**40, 2**40 + 2**20) | st.integers(0, 200),
    BYTES,
    BYTES,
    st.booleans(),
)


def by_fastavro(count: int, data: bytes) -> list[Archived] | None:
    """What fastavro makes of a block; None where it is not what the schema says."""
    stream = io.BytesIO(varint(count) + data + b"\0")
    try:
        found: Any = fastavro.schemaless_reader(stream, ARCHIVE.format.block_schema, None)
    except avro_blocks._PAYLOAD_ERRORS:
        return None
    return [from_avro(one) for one in found] if stream.read() == b"" else None


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(ALIKE, min_size=1, max_size=8), st.booleans())
def test_records_that_are_alike_are_encoded_at_once_as_each_by_itself(records: list[Archived], is_broker_time: bool) -> None:
    alike = [structs.replace(one, record=structs.replace(one.record, is_broker_time=is_broker_time)) for one in records]

    at_once = archive_blocks._encode_at_once(alike)

    assert at_once in (None, b"".join(map(archive_blocks._encode, alike)))
    are_large = all(one.record.offset >= 64 and one.record.timestamp_ms >= 2**13 for one in alike)
    assert (at_once is not None) == are_large


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(ALIKE, min_size=1, max_size=8))
def test_the_usual_block_is_read_by_hand(records: list[Archived]) -> None:
    ((count, data),) = encode_blocks(records)
    assert decode_usual(count, data) == records == by_fastavro(count, data)


@settings(max_examples=examples(400), deadline=None)
@given(st.lists(ALIKE, min_size=1, max_size=5) | st.lists(ARCHIVED, min_size=1, max_size=5), st.data())
def test_what_is_read_by_hand_is_what_fastavro_reads_whatever_the_bytes(records: list[Archived], draw: st.DataObject) -> None:
    ((count, data),) = encode_blocks(records)
    spoiled = bytearray(data)
    for _ in range(draw.draw(st.integers(0, 3))):
        at = draw.draw(st.integers(0, len(spoiled) - 1))
        spoiled[at : at + draw.draw(st.integers(0, 2))] = draw.draw(st.binary(max_size=3))
        if not spoiled:
            return
    count += draw.draw(st.sampled_from([0, 0, 0, 1, -1]))

    by_hand = decode_usual(count, bytes(spoiled))

    assert by_hand is None or by_hand == by_fastavro(count, bytes(spoiled))


def test_the_name_is_a_function_of_the_contents() -> None:
    records = ARCHIVE.in_order([archived(9), archived(4), archived(9), archived(4, at_ms=AT_MS + 1)])
    path = path_of(group_of(records[0]), 4, 9, encode_file(ARCHIVE.format, records).content)

    assert [(one.record.offset, one.record.timestamp_ms) for one in records] == [(4, AT_MS), (4, AT_MS + 1), (9, AT_MS)]
    assert path.startswith("v1/client_id=af-10/topic=state.k8s.resource/hour=2026-03-01T08/0-4-9-")
    named = parse_path(path)
    assert named is not None
    assert (named.group, named.first_offset, named.last_offset) == (group_of(records[0]), 4, 9)
    others = [archived(4), archived(9, value=b"[]")]
    assert path != path_of(group_of(records[0]), 4, 9, encode_file(ARCHIVE.format, others).content)
    assert file_of(records) == file_of(list(records))


@pytest.mark.parametrize(
    "path",
    [
        "v2/client_id=a/topic=t/hour=2026-03-01T08/0-0-0-0123456789abcdef.avro",
        "v1/client_id=A/topic=t/hour=2026-03-01T08/0-0-0-0123456789abcdef.avro",
        "v1/client_id=a/topic=t/hour=2026-03-01T25/0-0-0-0123456789abcdef.avro",
        "v1/client_id=a/topic=t/../hour=2026-03-01T08/0-0-0-0123456789abcdef.avro",
        "v1/client_id=a/topic=t/hour=2026-03-01T08/_writing-1-0-0-0-0123456789abcdef.avro",
        "v1/client_id=a/topic=t/hour=2026-03-01T08/0-0-0-0123456789abcdef.avro.bak",
    ],
)
def test_what_is_no_file_of_the_archive_is_none(path: str) -> None:
    assert parse_path(path) is None


@pytest.mark.parametrize("at_ms", [-(2**63), -1, 0, 2**63 - 1])
def test_every_time_has_an_hour_that_a_path_can_have(at_ms: int) -> None:
    group = Group("", "t", 0, hour_of(at_ms))
    records = [archived(0, at_ms=at_ms, client_id="", topic="t")]
    named = parse_path(path_of(group, 0, 0, encode_file(ARCHIVE.format, records).content))
    assert named is not None
    assert named.group == group == group_of(records[0])


# Spoiled files


def test_every_truncation_is_found() -> None:
    records = all_sorts()
    data = file_of(records)
    for size in range(len(data)):
        with pytest.raises(Corrupt):
            read(data[:size])


def test_a_cut_between_blocks_is_found_after_the_blocks_that_are_there() -> None:
    records = many()
    data = file_of(records)
    source = io.BytesIO(data)
    header = read_header(ARCHIVE.format, source)
    avro_blocks._read_frame(source, header.sync, 11)
    cut = io.BytesIO(data[: source.tell()])

    first, corrupt = list(read_blocks(ARCHIVE.format, cut, read_header(ARCHIVE.format, cut)))

    assert isinstance(first, list)
    assert first == records[: len(first)]
    assert isinstance(corrupt, Corrupt)
    assert corrupt.why == f"it holds {len(first)} records where it says 5000: it was cut off or changed"


@settings(max_examples=examples(400), deadline=None)
@given(at=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_a_flipped_bit_never_gives_another_record(at: int, bit: int) -> None:
    _spoiled(lambda data: data.__setitem__(at % len(data), data[at % len(data)] ^ (1 << bit)))


@settings(max_examples=examples(200), deadline=None)
@given(at=st.integers(0, 10**9), noise=st.binary(min_size=1, max_size=40), size=st.integers(0, 40))
def test_noise_in_a_file_never_gives_another_record(at: int, noise: bytes, size: int) -> None:
    def spoil(data: bytearray) -> None:
        start = at % len(data)
        data[start : start + size] = noise

    _spoiled(spoil)


def _spoiled(spoil: Any) -> None:
    records = all_sorts()
    data = bytearray(file_of(records))
    spoil(data)
    try:
        found = read(bytes(data))
    except Corrupt:
        return
    # Only what says nothing may differ: names of metadata that nobody asks for.
    assert found == records


@settings(max_examples=examples(100), deadline=None)
@given(st.binary(max_size=400))
def test_noise_after_a_good_header_is_corrupt_or_nothing(noise: bytes) -> None:
    source = io.BytesIO(file_of(all_sorts()))
    read_header(ARCHIVE.format, source)
    head = source.getvalue()[: source.tell()]
    with pytest.raises(Corrupt):
        read(head + noise)


# Hostile files


def header(schema: bytes, codec: bytes = b"zstandard", records: bytes = b"1") -> bytes:
    pairs = {b"avro.codec": codec, b"avro.schema": schema, b"records": records, b"schema_version": b"1"}
    return b"Obj\x01" + varint(len(pairs)) + b"".join(sized(one) + sized(two) for one, two in pairs.items()) + b"\0" + b"s" * 16


def block(count: int, data: bytes) -> bytes:
    return varint(count) + varint(len(data)) + data + b"s" * 16


def squeezed(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def lying(frame: bytes, size: int, claimed: int) -> bytes:
    """The frame, that claims to inflate to another size than it does."""
    told = frame.replace(size.to_bytes(4, "little"), claimed.to_bytes(4, "little"), 1)
    assert zstandard.get_frame_parameters(told).content_size == claimed
    return told


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (b'{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}', "its schema is none of this project's"),
        (b'{"type":"array","items":"null"}', "its schema is none of this project's"),
        (b"[" * 60_000, "its schema is no JSON"),
        (b"", "its schema is no JSON"),
        (b"{" + b" " * 70_000 + b"}", "its header has more than"),
    ],
)
def test_a_schema_that_is_not_ours_is_refused_and_never_parsed(schema: bytes, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object) -> None:
        raise AssertionError("a foreign schema was parsed")

    monkeypatch.setattr(avro_format, "parse_schema", parse)
    monkeypatch.setattr(avro_blocks, "schemaless_reader", parse)
    with pytest.raises(Corrupt, match=why):
        read(header(schema) + block(1, squeezed(b"\0" * 40)))


def test_our_schema_in_another_order_and_with_blanks_is_ours() -> None:
    turned = {name: ARCHIVE_SCHEMA[name] for name in reversed(ARCHIVE_SCHEMA)}
    assert fingerprint(turned) == fingerprint(ARCHIVE_SCHEMA)


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        (block(1, squeezed(bytes(64 * MEBIBYTE))), "inflates to 67108864 bytes, more than"),
        (
            block(1, zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress(b"\0" * 40)),
            "lacks its checksum or size",
        ),
        (block(1, zstandard.ZstdCompressor().compress(b"\0" * 40)), "lacks its checksum or size"),
        (block(1, lying(squeezed(bytes(64 * MEBIBYTE)), 64 * MEBIBYTE, 1000)), "not a whole Zstandard frame"),
        (block(1, squeezed(b"\0" * 40) * 2), "not a whole Zstandard frame"),
        (block(2**40, squeezed(bytes(MEBIBYTE))), "more than one may have"),
        (block(2**20, squeezed(bytes(MEBIBYTE))), "a block claims 1048576 records in 1048576 bytes"),
        (b"\x02" + b"\xff" * 12, "does not end"),
        (varint(1) + varint(2**40), "more than one may have"),
        (varint(1) + varint(16 * MEBIBYTE) + b"x", "ends too early"),
    ],
)
def test_a_block_that_claims_too_much_costs_no_more_than_its_limit(blocks: bytes, why: str) -> None:
    ours = file_of([archived()])
    source = io.BytesIO(ours)
    read_header(ARCHIVE.format, source)
    head = ours[: source.tell() - 16] + b"s" * 16
    with pytest.raises(Corrupt, match=why):
        read(head + blocks)


def test_a_block_that_is_spoiled_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_blocks, "BLOCK_RECORDS", 10)
    records = [archived(at) for at in range(30)]
    data = bytearray(file_of(records))
    frames = list(_frames(bytes(data)))
    data[frames[1] - 20] ^= 1
    source = io.BytesIO(bytes(data))

    one, two, three = list(read_blocks(ARCHIVE.format, source, read_header(ARCHIVE.format, source)))

    assert (one, three) == (records[:10], records[20:])
    assert isinstance(two, Corrupt)


def _frames(data: bytes) -> Iterator[int]:
    """Where each block ends."""
    source = io.BytesIO(data)
    head = read_header(ARCHIVE.format, source)
    while avro_blocks._read_frame(source, head.sync, 11):
        yield source.tell()
