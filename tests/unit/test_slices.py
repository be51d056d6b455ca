"""A slice takes about the bytes it is told to, by the mean size of the records read so far, and is never empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.planning.slices import FIRST_RECORDS, MOST_RECORDS, SliceSize, slice_size

_MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("lag", "slice_bytes", "records_read", "bytes_read", "size"),
    [
        (50_000, 64 * _MIB, 0, 0, (10_000, 3)),
        (9_999, 64 * _MIB, 0, 0, (9_999, 2)),
        (50_000, _MIB, 0, 0, (1024, 2)),
        (50_000, 1, 0, 0, (1, 2)),
        (1_000_000, 16 * _MIB, 1_000, _MIB, (16_000, 3)),
        (1_000_000, _MIB, 10, 10 * _MIB, (1, 2)),
        (1_000_000, _MIB, 1, 10 * _MIB, (1, 2)),
        (1_000_000, 64 * _MIB, 1_000, 1_000, (19_999, 3)),
        (20_000, 64 * _MIB, 1_000, _MIB, (19_999, 3)),
        (19_998, 64 * _MIB, 1_000, _MIB, (19_998, 3)),
        (1_000_000, 64 * _MIB, 10, 0, (19_999, 3)),
        (500, 64 * _MIB, 1_000, _MIB, (500, 2)),
        (0, 64 * _MIB, 1_000, _MIB, (1, 2)),
        (0, 64 * _MIB, 0, 0, (1, 2)),
    ],
)
def test_a_slice_is_sized_by_what_was_read(lag: int, slice_bytes: int, records_read: int, bytes_read: int, size: tuple[int, int]) -> None:
    assert slice_size(lag, slice_bytes, records_read, bytes_read) == SliceSize(*size)


@given(st.integers(0, 10**12), st.integers(1, 10**10), st.integers(0, 10**9), st.integers(0, 10**15))
def test_a_slice_is_never_empty_and_never_beyond_its_bounds(lag: int, slice_bytes: int, records_read: int, bytes_read: int) -> None:
    size = slice_size(lag, slice_bytes, records_read, bytes_read)
    assert 1 <= size.max_records <= min(max(lag, 1), MOST_RECORDS if records_read else FIRST_RECORDS)
    assert size.max_read_s >= 2
    if records_read and size.max_records > 1:
        assert size.max_records * bytes_read <= slice_bytes * records_read
