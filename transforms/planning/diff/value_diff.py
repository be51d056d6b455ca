"""Two values that differ, short enough to read, and neither of them where one may be a secret."""

from typing import Any, Final, NamedTuple

from transforms.planning.facts.values import CANONICAL
from transforms.records.redaction.text import may_hold_secret

SHOWN_CHARACTERS: Final = 60
# So much of what both have in common stands before the place where they part.
_COMMON_CHARACTERS: Final = 15
_CUT: Final = "…"
_SECRETS: Final = ("secret:", "secret.")


class ShownValues(NamedTuple):
    """A property's values on both sides; None: absent there, or withheld."""

    name: str
    left: str | None
    right: str | None
    withheld: bool = False


def shown_values(key: str, name: str, left: Any, right: Any) -> ShownValues:
    """Both values as text, cut to where they part; withheld where either holds what redaction would take out.

    key: of the node that has them; of Secrets no value is ever shown.
    """
    one, other = _text(left), _text(right)
    if key.startswith(_SECRETS) or any(text is not None and may_hold_secret(name, text) for text in (one, other)):
        return ShownValues(name, None, None, withheld=True)
    if one == other:
        # The same text of two types, as 3 and "3" are.
        one, other = _json(left), _json(right)
    begin = max(0, _common(one or "", other or "") - _COMMON_CHARACTERS)
    return ShownValues(name, _cut(one, begin), _cut(other, begin))


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else _json(value)


def _json(value: Any) -> str | None:
    return None if value is None else CANONICAL.encode(value).decode()


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _cut(text: str | None, begin: int) -> str | None:
    if text is None or len(text) <= SHOWN_CHARACTERS:
        return text
    end = begin + SHOWN_CHARACTERS
    return f"{_CUT if begin else ''}{text[begin:end]}{_CUT if end < len(text) else ''}"
