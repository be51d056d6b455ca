"""Sizes and durations as people say them."""

from typing import Final

_BYTES: Final = ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
_MILLISECONDS: Final = ((24 * 3600 * 1000, "day"), (3600 * 1000, "hour"), (60 * 1000, "minute"), (1000, "second"))


def spoken_bytes(size: int) -> str:
    """`4 MiB`, `1.5 KiB`, `12 bytes`: in the greatest unit that it fills."""
    for unit, name in _BYTES:
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} bytes"


def spoken_ms(duration: float) -> str:
    """`1 day`, `1.5 hours`, `3 seconds`: milliseconds in the greatest unit that they fill."""
    for unit, name in _MILLISECONDS:
        if duration >= unit:
            number = f"{duration / unit:.3g}" if duration < 100 * unit else f"{duration / unit:,.0f}"
            return f"{number} {name}{'' if number == '1' else 's'}"
    return f"{duration:.0f} ms"


def spoken_s(duration: float) -> str:
    """As `spoken_ms`, of seconds."""
    return spoken_ms(duration * 1000)
