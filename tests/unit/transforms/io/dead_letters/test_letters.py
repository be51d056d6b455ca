"""Letters come back as they were written; what is none says so; a record counts as the original only where it is proven."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import AT_MS, EVENTS, RESOURCES
from transforms.io.dead_letters.gaps import encode_gap
from transforms.io.dead_letters.writer import encode_deadletter
from transforms.io.kafka.offsets import OffsetGap
from transforms.model.limits import DEADLETTER_KEY_BYTES, INTEGER_MAX
from transforms.records.dead_letters.letters import Letter, Unreadable, Wanted, coordinates_of, decode_letter, encode_letter, replay_mark
from transforms.records.dead_letters.selection import OFFSETS_LOST, Coordinates, LetterFilter, parse_coordinates
from transforms.records.record import KafkaRecord, sha256_of
from transforms.records.rejects import Reason, Reject, Step

SECRET = b"secret:shop:s"


def record_of(key: bytes | None = b"k", value: bytes | None = b"{}", headers: Any = (), topic: str = EVENTS) -> KafkaRecord:
    return KafkaRecord(topic, 3, 42, AT_MS, key, value, headers)


def letter_of(record: KafkaRecord, client_id: str = "af-10") -> Letter:
    return decode_letter(encode_deadletter(Reject(record, client_id, Step.DECODE, Reason.BAD_VALUE, "why")))


_BYTES = st.none() | st.binary(max_size=64)
_HEADERS = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=8), _BYTES), max_size=4).map(tuple)


@given(_BYTES, _BYTES, _HEADERS)
def test_the_record_of_a_whole_letter_is_the_record_that_was_rejected(key: bytes | None, value: bytes | None, headers: Any) -> None:
    record = record_of(key, value, headers)
    letter = letter_of(record)
    assert letter.is_whole != (letter.withheld or letter.redacted)
    assert not letter.is_whole or letter.record() == record
    assert letter.is_of(record)


def test_what_is_encoded_decodes_to_an_equal_letter() -> None:
    letter = letter_of(record_of(headers=(("h", b"\xff"), ("h", None))), client_id="")
    assert decode_letter(encode_letter(letter)) == letter
    assert (letter.tenant, letter.client_id, letter.reason, letter.step, letter.detail) == ("-", None, "bad_value", "decode", "why")
    assert letter.coordinates == Coordinates(EVENTS, 3, 42)


def changed(**changes: Any) -> bytes:
    fields = msgspec.json.decode(encode_letter(letter_of(record_of())))
    return msgspec.json.encode({name: value for name, value in (fields | changes).items() if value is not ...})


def test_a_letter_with_more_fields_is_read_all_the_same() -> None:
    assert decode_letter(changed(more=1)) == letter_of(record_of())


@pytest.mark.parametrize("field", [name for name in Letter.__struct_fields__ if name not in ("version", "gap_end")])
def test_a_letter_that_lacks_a_field_is_never_half_read(field: str) -> None:
    with pytest.raises(Unreadable, match=r"^not a dead letter$"):
        decode_letter(changed(**{field: ...}))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (None, "not JSON"),
        (b"", "not JSON"),
        (b"{not json", "not JSON"),
        (b'{"version":1,"reason":"\xff"}', "not JSON"),
        (b"[" * 100_000, "not a dead letter"),
        (b'{"version":1,"x":' + b"[" * 100_000, "not JSON"),
        (b"[]", "not a dead letter"),
        (b"{}", "not a dead letter"),
        (b'{"version":"1"}', "not a dead letter"),
        (b'{"version":2}', "version 2"),
        (b'{"version":1}', "not a dead letter"),
        (changed(version=7), "version 7"),
        (changed(value="no base64!"), "not a dead letter"),
        (changed(topic="no topic"), "not a dead letter"),
        (changed(topic="t\n"), "not a dead letter"),
        (changed(partition=-1), "not a dead letter"),
        (changed(partition=2**31), "not a dead letter"),
        (changed(offset=-1), "not a dead letter"),
        (changed(offset=2**63), "not a dead letter"),
        (changed(value_bytes=-1), "not a dead letter"),
        (changed(client_id="a/b"), "not a dead letter"),
        (changed(client_id=""), "not a dead letter"),
        (changed(reason="Bad\x1b"), "not a dead letter"),
        (changed(step="a b"), "not a dead letter"),
        (changed(headers=[["h"]]), "not a dead letter"),
    ],
)
def test_what_is_no_letter_of_this_version_says_why(message: bytes | None, why: str) -> None:
    with pytest.raises(Unreadable) as raised:
        decode_letter(message)
    assert str(raised.value) == why


@given(st.binary(max_size=64))
def test_whatever_the_bytes_are_nothing_else_is_raised(message: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_letter(message)


def test_a_gap_is_a_letter_that_no_record_can_be_made_of() -> None:
    gap = decode_letter(encode_gap(OffsetGap(EVENTS, 0, 2, 5, 5)))
    assert (gap.reason, gap.is_gap, gap.is_whole, gap.lost) == (OFFSETS_LOST, True, False, 3)
    cut_back = decode_letter(encode_gap(OffsetGap(EVENTS, 0, 9, 9, 0)))
    assert (cut_back.is_gap, cut_back.lost) == (True, 0)
    assert (letter_of(record_of()).is_gap, letter_of(record_of()).lost) == (False, 0)


def test_the_mark_of_a_replay_names_its_record_and_no_record_can_be_made_of_it() -> None:
    original = Coordinates(EVENTS, 3, 7)
    for client_id in ("af-10", "-"):
        mark = decode_letter(encode_letter(replay_mark(Wanted(Coordinates("d", 0, 1), original, client_id, 9, AT_MS))))
        assert (mark.is_mark, mark.is_gap, mark.is_whole, mark.withheld) == (True, False, False, True)
        assert (mark.coordinates, mark.timestamp_ms, mark.tenant) == (original, AT_MS, client_id)
        assert not mark.is_of(record_of(SECRET, b"{}")), "a version that knows no marks finds no record to it"
    assert not letter_of(record_of()).is_mark


def test_a_letter_whose_value_is_not_what_its_hash_says_is_not_whole() -> None:
    assert not decode_letter(changed(value="e3s=")).is_whole
    assert not decode_letter(changed(value=None)).is_whole
    assert decode_letter(changed()).is_whole


def test_a_tombstone_is_whole() -> None:
    assert letter_of(record_of(SECRET, None, topic=RESOURCES)).is_whole


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (record_of(SECRET, b"{}"), True),
        (record_of(SECRET, b"{} "), False),
        (record_of(SECRET, None), False),
        (record_of(SECRET + b"x", b"{}"), False),
        (record_of(None, b"{}"), False),
        (record_of(SECRET, b"{}", (("h", b""),)), False),
    ],
)
def test_only_the_same_key_value_and_headers_are_the_record_that_was_withheld(found: KafkaRecord, same: bool) -> None:
    letter = letter_of(record_of(SECRET, b"{}"))
    assert (letter.withheld, letter.is_whole, letter.is_of(found)) == (True, False, same)


def test_a_key_that_was_cut_is_proven_by_what_is_left_of_it_and_one_that_was_not_must_be_equal() -> None:
    long = b"k" * (DEADLETTER_KEY_BYTES + 1)
    cut = letter_of(record_of(long))
    assert cut.truncated
    assert cut.is_of(record_of(long))
    assert not cut.is_of(record_of(b"x" + long))
    many = (("h" * DEADLETTER_KEY_BYTES, None),)
    headless = letter_of(record_of(b"k", None, many))
    assert (headless.truncated, headless.headers) == (True, ())
    assert headless.is_of(record_of(b"k", None, many))
    assert not headless.is_of(record_of(b"kk", None, many))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("state.k8s.resource[2]@1047", Coordinates("state.k8s.resource", 2, 1047)),
        (" a[0]@0 ", Coordinates("a", 0, 0)),
        (f"a[2147483647]@{INTEGER_MAX}", Coordinates("a", 2**31 - 1, INTEGER_MAX)),
        ("a[2147483648]@0", None),
        (f"a[0]@{INTEGER_MAX + 1}", None),
        ("a[0]@-1", None),
        ("a[0]", None),
        ("a@0", None),
        ("[0]@0", None),
        ("a b[0]@0", None),
        ("a[٣]@0", None),
        (f"{'a' * 250}[0]@0", None),
        ("", None),
    ],
)
def test_coordinates_are_read_as_logs_write_them(text: str, at: Coordinates | None) -> None:
    assert parse_coordinates(text) == at
    assert at is None or str(at) == text.strip()


def test_coordinates_of_a_record_are_its_own_words_for_them() -> None:
    assert str(coordinates_of(record_of())) == record_of().coordinates == f"{EVENTS}[3]@42"


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (LetterFilter(), True),
        (LetterFilter(reasons=frozenset({"bad_time", "x"})), True),
        (LetterFilter(reasons=frozenset({"x"})), False),
        (LetterFilter(client_ids=frozenset({"-"})), True),
        (LetterFilter(client_ids=frozenset({"af-10"})), False),
        (LetterFilter(topics=frozenset({"t"})), True),
        (LetterFilter(frozenset({"bad_time"}), frozenset({"-"}), frozenset({"u"})), False),
        (LetterFilter(frozenset({"bad_time"}), frozenset({"-"}), frozenset({"t"})), True),
    ],
)
def test_a_letter_is_meant_where_every_filter_names_it_or_nothing(wanted: LetterFilter, matches: bool) -> None:
    assert wanted.matches("-", "bad_time", "t") is matches


def test_no_value_has_no_hash_and_an_empty_one_has() -> None:
    assert sha256_of(None) is None
    assert sha256_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
