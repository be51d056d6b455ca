"""A record's version is a total order over (t, topic, partition, offset) that depends on the record alone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import kafka_record
from transforms.model.limits import EARLIEST, LATEST
from transforms.records.record import from_microseconds, make_ver, microseconds, t_of

_TOPIC_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
_T = st.integers(microseconds(EARLIEST), microseconds(LATEST) - 1)
_ANY = st.tuples(_T, st.text(_TOPIC_CHARACTERS, min_size=1, max_size=249), st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1))
# Few values, so that earlier parts are often equal and later ones decide.
_CLOSE = st.tuples(
    st.sampled_from([microseconds(EARLIEST), 10**15, 10**15 + 1]),
    st.text("aA0._-", min_size=1, max_size=3),
    st.sampled_from([0, 9, 10, 2**31 - 1]),
    st.sampled_from([0, 1, 9, 10, 2**63 - 1]),
)
_PARTS = tuple[int, str, int, int]


@given(st.one_of(_ANY, _CLOSE), st.one_of(_ANY, _CLOSE))
def test_versions_order_as_their_tuples_do(a: _PARTS, b: _PARTS) -> None:
    assert (make_ver(*a) < make_ver(*b)) is (a < b)
    assert (make_ver(*a) == make_ver(*b)) is (a == b)


@given(_CLOSE, _CLOSE)
def test_close_versions_order_as_their_tuples_do(a: _PARTS, b: _PARTS) -> None:
    assert (make_ver(*a) < make_ver(*b)) is (a < b)


@given(_ANY, _ANY)
def test_times_of_versions_order_as_the_times_do(a: _PARTS, b: _PARTS) -> None:
    assert (t_of(make_ver(*a)) < t_of(make_ver(*b))) is (a[0] < b[0])


def test_a_version_shows_its_parts_padded() -> None:
    assert make_ver(1_772_352_000_000_000, "state.k8s.resource", 3, 42) == (
        "001772352000000000 state.k8s.resource 0000000003 0000000000000000042"
    )


def test_no_version_sorts_before_every_version() -> None:
    assert t_of("") == ""
    assert make_ver(microseconds(EARLIEST), "A", 0, 0) > ""


@given(st.datetimes(datetime(2000, 1, 1), datetime(9999, 12, 30)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_microseconds_are_exact_in_every_zone(moment: datetime, minutes: int) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds(zoned)) == zoned


@pytest.mark.parametrize(
    ("timestamp_ms", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
        (1_772_352_000_123, datetime(2026, 3, 1, 8, 0, 0, 123000, tzinfo=UTC)),
    ],
)
def test_a_record_timestamp_is_milliseconds_since_1970(timestamp_ms: int, moment: datetime) -> None:
    assert from_microseconds(timestamp_ms * 1000) == moment


@pytest.mark.parametrize("timestamp_ms", [2**62, -(2**62), 253_402_300_800_000])
def test_a_record_timestamp_beyond_the_calendar_overflows(timestamp_ms: int) -> None:
    with pytest.raises(OverflowError):
        from_microseconds(timestamp_ms * 1000)


def test_coordinates_and_size_are_those_of_the_record() -> None:
    record = kafka_record("t", b"12345", b"123", partition=4, offset=7)
    assert record.coordinates == "t[4]@7"
    assert record.size_bytes == 8
    assert kafka_record("t", None, None).size_bytes == 0
