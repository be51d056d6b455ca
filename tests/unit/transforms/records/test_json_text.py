"""JSON text is held to the limits exactly: what is within passes, what is beyond is a fault with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import nested
from transforms.model.limits import RECORD_BYTES
from transforms.records.json_text import check_json_text
from transforms.records.rejects import Fault, Reason


def _reason(value: bytes) -> Reason | None:
    try:
        check_json_text(value)
    except Fault as fault:
        return fault.reason
    return None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (nested(32), None),
        (nested(33), Reason.LIMIT_EXCEEDED),
        (b'{"a":' * 32 + b"1" + b"}" * 32, None),
        (b'{"a":' * 33 + b"1" + b"}" * 33, Reason.LIMIT_EXCEEDED),
        (b'{"a":' * 16 + nested(16) + b"}" * 16, None),
        (b'{"a":' * 16 + nested(17) + b"}" * 16, Reason.LIMIT_EXCEEDED),
        (b"[" + b",".join([nested(31)] * 50) + b"]", None),
        (b"[" + b",".join([nested(31)] * 50 + [nested(32)]) + b"]", Reason.LIMIT_EXCEEDED),
        (b"[[],[],{}]" * 100, None),
    ],
)
def test_nesting_up_to_32_levels_is_taken_and_33_are_not(value: bytes, reason: Reason | None) -> None:
    assert _reason(value) is reason


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100,
        b"{" * 100 + b"[" * 100,
        rb"\"" + b"[" * 100,
        rb"\\\"" + b"{" * 100,
        rb"\\" * 40 + b"[" * 40,
        b"9" * 40,
        b"-9223372036854775809",
        rb"\"" + b"9" * 40,
        "ä[".encode() * 50,
    ],
)
def test_brackets_and_digits_within_strings_do_not_count(text: bytes) -> None:
    assert _reason(b'{"a":"' + text + b'","b":[{}]}') is None


def test_a_string_that_ends_in_an_escaped_backslash_ends_there() -> None:
    assert _reason(rb'{"a":"\\","b":' + nested(32) + b"}") is Reason.LIMIT_EXCEEDED
    assert _reason(rb'{"a":"\\","b":9223372036854775808}') is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (b"9223372036854775807", None),
        (b"9223372036854775808", Reason.LIMIT_EXCEEDED),
        (b"-9223372036854775808", None),
        (b"-9223372036854775809", Reason.LIMIT_EXCEEDED),
        (b"1000000000000000000", None),
        (b"18446744073709551615", Reason.LIMIT_EXCEEDED),
        (b"99999999999999999999", Reason.LIMIT_EXCEEDED),
        (b"1" + b"0" * 400, Reason.LIMIT_EXCEEDED),
        (b"-1" + b"0" * 5000, Reason.LIMIT_EXCEEDED),
        (b"1234567890123456789.5", None),
        (b"12345678901234567890123.5", None),
        (b"-12345678901234567890.25", None),
        (b"1234567890123456789e3", None),
        (b"1234567890123456789E+3", None),
        (b"12345678901234567890123e-5", None),
        (b"0.1234567890123456", None),
        (b"0.00012345678901234567", None),
        (b"0.99999999999999999999", None),
        (b"1.1234567890123456789012", None),
        (b"123.99999999999999999999999", None),
        (b"99999999999999999999.99999999999999999999", None),
        (b"1e00000000000000000000000001", None),
        (b"1E+00000000000000000000000001", None),
        (b"1.5e-00000000000000000000000001", None),
        (b"0.5,99999999999999999999", Reason.LIMIT_EXCEEDED),
        (b"1e00000000000000000000000001 ,-9223372036854775809", Reason.LIMIT_EXCEEDED),
    ],
)
@pytest.mark.parametrize("frame", [b"%b", b"[%b]", b'{"a":%b}', b'{"a":[1,%b,2]}', b'{"a": %b }'])
def test_integers_fit_64_bits_and_floats_are_none(number: bytes, reason: Reason | None, frame: bytes) -> None:
    assert _reason(frame % number) is reason


@given(st.integers(-(2**70), 2**70))
def test_an_integer_is_taken_exactly_when_it_fits_64_bits(number: int) -> None:
    fits = -(2**63) <= number < 2**63
    assert _reason(b'{"n":%d}' % number) is (None if fits else Reason.LIMIT_EXCEEDED)


def test_a_record_of_one_mebibyte_is_taken_and_a_byte_more_is_not() -> None:
    frame = len(b'{"a":""}')
    assert RECORD_BYTES == 1024 * 1024
    assert _reason(b'{"a":"' + b"x" * (RECORD_BYTES - frame) + b'"}') is None
    assert _reason(b'{"a":"' + b"x" * (RECORD_BYTES - frame + 1) + b'"}') is Reason.LIMIT_EXCEEDED


def test_the_size_counts_in_bytes_not_in_characters() -> None:
    frame = len(b'{"a":""}')
    assert _reason(b'{"a":"' + "ä".encode() * ((RECORD_BYTES - frame) // 2) + b'"}') is None
    assert _reason(b'{"a":"' + "ä".encode() * ((RECORD_BYTES - frame) // 2 + 1) + b'"}') is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("äöü€😀".encode(), None),
        (b"\xff", Reason.NOT_JSON),
        (b"\xc3", Reason.NOT_JSON),
        (b"\xc0\xaf", Reason.NOT_JSON),
        (b"\xed\xa0\x80", Reason.NOT_JSON),
        (b"\xf4\x90\x80\x80", Reason.NOT_JSON),
        ("ä".encode("latin-1"), Reason.NOT_JSON),
    ],
)
def test_text_is_valid_utf_8(text: bytes, reason: Reason | None) -> None:
    assert _reason(b'{"a":"' + text + b'"}') is reason


def test_the_fault_names_the_number_and_the_first_bad_byte() -> None:
    with pytest.raises(Fault, match="the integer 9223372036854775808 does not fit 64 bits"):
        check_json_text(b'{"n":9223372036854775808}')
    with pytest.raises(Fault, match="not UTF-8 at byte 6;"):
        check_json_text(b'{"a":"\xff"}')


@pytest.mark.parametrize("value", [nested(33), b"9223372036854775808", b"\xff", b"x" * (RECORD_BYTES + 1)])
def test_what_these_checks_refuse_was_never_parsed(value: bytes) -> None:
    with pytest.raises(Fault) as raised:
        check_json_text(value)
    assert not raised.value.parsed


# Each a mebibyte or nearly: a check that took more than linear time would not end.
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"[" * 33 + b'"' + b'\\"' * 500_000, Reason.LIMIT_EXCEEDED),
        (b"[" * 32 + b'"' + b'\\"' * 500_000, None),
        (b"[" * 32 + b'"' + b'\\"[' * 300_000, None),
        (b"[" * 33 + b'"' + b"\\" * 1_000_000, Reason.LIMIT_EXCEEDED),
        (b"[" * 33 + b'"' + b"\\" * 1_000_001, Reason.LIMIT_EXCEEDED),
        (b"[" * 33 + b'"' * 1_000_001, Reason.LIMIT_EXCEEDED),
        (b"9" * 19 + b'"a' * 500_000, Reason.LIMIT_EXCEEDED),
        (b'{"op":' + b"1" * 1_000_000 + b".5}", None),
        (b'{"op":' + b"1" * 1_000_000 + b"e5}", None),
        (b'{"op":0.' + b"1" * 1_000_000 + b"}", None),
        (b'{"op":' + b"1" * 1_000_000 + b"}", Reason.LIMIT_EXCEEDED),
        (b"-" * 1_000_000 + b"1" * 19, None),
        (b"[" + b"1.5," * 250_000 + b"1" * 19 + b"]", None),
        (b"[" + b"1e5," * 250_000 + b"1" * 20 + b"]", Reason.LIMIT_EXCEEDED),
        (b"[" * 1_000_000, Reason.LIMIT_EXCEEDED),
        (b"]" * 1_000_000 + b"[" * 33, None),
    ],
    ids=lambda part: part[:48].decode() if isinstance(part, bytes) else "",
)
def test_a_mebibyte_made_to_take_long_has_its_outcome_all_the_same(value: bytes, reason: Reason | None) -> None:
    assert len(value) <= RECORD_BYTES
    assert _reason(value) is reason


@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_pass_or_fault_and_nothing_else(value: bytes) -> None:
    assert _reason(value) in {None, Reason.NOT_JSON, Reason.LIMIT_EXCEEDED}
