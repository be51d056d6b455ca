"""Times as Kubernetes writes them, in microseconds since 1970; what is no time is none."""

from datetime import UTC, datetime
from typing import Any, Final

from transforms.model.limits import EARLIEST, LATEST
from transforms.records.record import microseconds

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
_LONGEST: Final = 40


def created_at(text: Any) -> datetime | None:
    """The moment in UTC; None for what is no RFC 3339 text, and for a time that no cluster has."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None or not EARLIEST <= moment < LATEST:
        return None
    return moment.astimezone(UTC)


def time_of(value: Any) -> int | None:
    """Of a moment, a text, or microseconds since 1970; None for none."""
    if value is None or type(value) is int:
        return value
    if isinstance(value, str):
        value = created_at(value)
        return None if value is None else microseconds(value)
    return microseconds(value) if isinstance(value, datetime) else None
