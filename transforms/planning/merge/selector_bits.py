"""Many selectors judged at once, each a bit of a number: what a Pod costs hardly grows with how many there are.

For each key that labels may have there is the set of selectors that ask for it, and for each value of it those that it satisfies
or fails. A Pod's labels pick a few of these sets; what they have in common is what holds.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from transforms.planning.facts.selectors import Pairs, Selector

# What no label is: a place that is a key alone, whatever its value.
KEY: Final = "\0"
# Sets of few are kept as they are, since a bit set takes room for all.
_FEW: Final = 64

_Bits = Mapping[str, list[int] | int]


class Crowd:
    """Selectors with the rids of their objects, in the order of these."""

    def __init__(self, placed: Sequence[tuple[str, Selector]]) -> None:
        self._rids = [rid for rid, _ in placed]
        self._all = (1 << len(placed)) - 1
        needs: dict[str, list[int]] = defaultdict(list)
        satisfied: dict[str, list[int]] = defaultdict(list)
        fails: dict[str, list[int]] = defaultdict(list)
        for at, (_, selector) in enumerate(placed):
            for key, values in _wanted(selector).items():
                needs[key].append(at)
                for place in [KEY + key] if values is None else [f"{key}={value}" for value in values]:
                    satisfied[place].append(at)
            for key, values, wanted in selector.expressions:
                for place in () if wanted else [KEY + key] if values is None else [f"{key}={value}" for value in values]:
                    fails[place].append(at)
        self._needs = {key: _bits(members) for key, members in needs.items()}
        self._satisfied, self._fails = _packed(satisfied), _packed(fails)

    def holding(self, by_key: Mapping[str, str]) -> Iterator[str]:
        """The rids of those that hold for the labels, in order."""
        alive = self._all
        for key, needs in self._needs.items():
            satisfied = self._at(self._satisfied, key, by_key[key]) if key in by_key else 0
            alive &= ~needs | satisfied
        for key, value in by_key.items():
            alive &= ~self._at(self._fails, key, value)
        while alive:
            lowest = alive & -alive
            yield self._rids[lowest.bit_length() - 1]
            alive ^= lowest

    @staticmethod
    def _at(sets: _Bits, key: str, value: str) -> int:
        """Those that the label concerns, by its key or by its value."""
        found = 0
        for place in (KEY + key, f"{key}={value}"):
            members = sets.get(place, 0)
            found |= members if isinstance(members, int) else _bits(members)
        return found


def _wanted(selector: Selector) -> dict[str, Pairs | None]:
    """By key, the values that all terms which ask for the key allow; None for any."""
    found: dict[str, Pairs | None] = {}
    pairs = ((key, frozenset({value})) for key, value in (pair.split("=", 1) for pair in selector.pairs))
    for key, values in [*pairs, *((key, values) for key, values, wanted in selector.expressions if wanted)]:
        before = found.get(key)
        found[key] = values if before is None else before if values is None else before & values
    return found


def _packed(sets: Mapping[str, list[int]]) -> dict[str, list[int] | int]:
    return {place: _bits(members) if len(members) > _FEW else members for place, members in sets.items()}


def _bits(members: Sequence[int]) -> int:
    if not members:
        return 0
    held = bytearray(max(members) // 8 + 1)
    for at in members:
        held[at // 8] |= 1 << at % 8
    return int.from_bytes(held, "little")
