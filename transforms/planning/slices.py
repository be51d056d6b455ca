"""How much of a run one slice takes, and what is left after it."""

from typing import Final, NamedTuple

# The first slice knows nothing of the records yet: it takes this for their mean size, and stays small.
FIRST_MEAN_BYTES: Final = 1024
FIRST_RECORDS: Final = 10_000
# The connector splits a read of 20,000 records or more among the partitions, evenly, and waits out the time limit
# in every split whose partitions have fewer: 85 s for 100,000 records in 13 partitions, where below that number one
# split takes what there is, from all partitions, and ends at once (measured; docs/adr/004).
MOST_RECORDS: Final = 19_999
# What the slowest reader here still delivers; a slice that needs longer than this allows goes on in the next.
_RECORDS_PER_S: Final = 10_000
_QUIET_S: Final = 2


class SliceSize(NamedTuple):
    """The limits of one slice: the number of records, and for how long a quiet partition is waited for, in seconds."""

    max_records: int
    max_read_s: int


def slice_size(lag: int, slice_bytes: int, records_read: int, bytes_read: int) -> SliceSize:
    """Limits such that a slice takes about `slice_bytes`, by the mean size of the records read so far."""
    most = min(FIRST_RECORDS, slice_bytes // FIRST_MEAN_BYTES)
    if records_read:
        most = slice_bytes * records_read // max(bytes_read, 1)
    records = max(1, min(lag, most, MOST_RECORDS))
    return SliceSize(records, _QUIET_S + records // _RECORDS_PER_S)
