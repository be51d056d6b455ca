"""Every size and range that input is held to, in one place.

Source: the data contract, section "Rejects". A record beyond a limit is rejected with the reason
`limit_exceeded`; nothing is ever cut silently.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

RECORD_BYTES: Final = 1024 * 1024
# A topic's own `max.message.bytes`: room for the largest record with its key and headers, and for one that is too large to be told of.
TOPIC_MESSAGE_BYTES: Final = 2 * 1024 * 1024
KEY_BYTES: Final = 1024
STRING_BYTES: Final = 64 * 1024
NESTING: Final = 32
INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1

# What one record lists, at most: targets, rules and alerts, log records, and the entries of a list that becomes a property. The shortest
# of real ones has 283 bytes, so that a whole record of them has 3,700 (docs/adr/020).
ITEMS: Final = 5_000

# Neo4j's range index takes at most 8 KiB a composite entry; identities stay far below it.
IDENTITY_BYTES: Final = 1024

# Of the Services that select one Pod, of the NetworkPolicies that do and of the rules that raise one alert, so many are joined
# with it, the first by name: Kubernetes' own thresholds are far below, and a product of many with many is held to so many times one side.
MOST_JOINED: Final = 32
# A transaction of several mutations judges at most so many relationships between two sides; what comes to more is cut.
MOST_JUDGED: Final = 20_000
# Rows that batches of several tenants may come to in one transaction; a single batch may come to more.
MOST_GROUP_ROWS: Final = 20_000

# Of a message an analysis reads so much, and a longer status not at all: it holds thousands of each at once.
READ_MESSAGE_CHARACTERS: Final = 4096
READ_STATUS_CHARACTERS: Final = 16 * 1024

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)
# How far a body may be ahead of its record, and a record ahead of the graph server's clock.
BODY_AHEAD: Final = timedelta(days=1)
AHEAD_US: Final = BODY_AHEAD // BODY_AHEAD.resolution

# The dead-letter topic's own `max.message.bytes`, and what a reject's value may take of it before it is
# truncated: base64 grows by a third, and headers and key travel beside it.
DEADLETTER_MESSAGE_BYTES: Final = 16 * 1024 * 1024
DEADLETTER_VALUE_BYTES: Final = 11 * 1024 * 1024
DEADLETTER_KEY_BYTES: Final = 512 * 1024
# Relationships or nodes that a purge takes away in one transaction, and the fewest that it may be told.
PURGE_ROWS: Final = 2000
LEAST_PURGE_ROWS: Final = 2
