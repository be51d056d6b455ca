"""Amounts as Kubernetes writes them, as numbers."""

import re
from typing import Any, Final

_FORM: Final = re.compile(r"([0-9]{1,20}(?:\.[0-9]{1,20})?)(?:e([0-9]{1,2}))?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?")
_POWERS: Final = {"": 1.0, "m": 0.001, **{unit: 1000.0 ** (n + 1) for n, unit in enumerate("kMGTPE")}}
_BINARY: Final = {f"{unit.upper()}i" if unit == "k" else f"{unit}i": 1024.0 ** (n + 1) for n, unit in enumerate("kMGTPE")}
_UNITS: Final = _POWERS | _BINARY


def amount(value: Any) -> float | None:
    """The number; None for what is no quantity."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    found = _FORM.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return float(found[1]) * float(10 ** int(found[2] or 0)) * _UNITS[found[3] or ""]
