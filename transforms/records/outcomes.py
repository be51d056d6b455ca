"""Outcomes: what became of each record, exactly one of a closed set, counted per tenant."""

from collections import Counter
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """What became of a record; it is the outcome of the record's primary mutation."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    BELOW_FLOOR = "below_floor"
    FILTERED = "filtered"
    SKIPPED = "skipped"
    CONTROL = "control"
    UNDECODED = "undecoded"
    REJECTED = "rejected"


# Records that name no tenant are counted under this name, which is no valid tenant id.
NO_TENANT: Final = "-"

# One count per (tenant, outcome).
Tally = Counter[tuple[str, Outcome]]
