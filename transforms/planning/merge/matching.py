"""Which selectors of one namespace hold for a Pod's labels, the first few of them in the order of their objects' rids.

A selector is kept under the one of its terms that the fewest others ask for, so that a Pod meets few selectors that do not
hold. Where many share a place they are judged together (`crowds.py`). What a Pod costs is so bounded by how many are wanted,
whether all of them hold or none.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import islice
from typing import Final

from transforms.planning.facts.selectors import EVERYTHING, Pairs, Selector, by_key_of, parse_selector
from transforms.planning.merge.selector_bits import KEY, Crowd

# The place of those that ask for nothing that must be there.
_ANYWHERE: Final = ""
_EVERYTHING: Final = frozenset({EVERYTHING})
_CROWDED: Final = 64

_Placed = tuple[str, Selector]


def joins_pods(terms: Pairs | None) -> bool:
    """Whether an object of these terms is joined with Pods one by one: not without a term, nor where it selects everything."""
    return bool(terms) and terms != _EVERYTHING


class Matcher:
    """The selectors of a namespace's objects, by rid."""

    def __init__(self, selecting: Mapping[str, Pairs]) -> None:
        parsed = {rid: parse_selector(terms) for rid, terms in selecting.items() if joins_pods(terms)}
        asked: Counter[str] = Counter()
        for selector in parsed.values():
            for places in _places(selector):
                asked.update(places)
        under: dict[str, list[_Placed]] = {}
        for rid in sorted(parsed):
            for place in _fewest(parsed[rid], asked):
                under.setdefault(place, []).append((rid, parsed[rid]))
        self._under = {place: Crowd(placed) if len(placed) > _CROWDED else placed for place, placed in under.items()}
        self._needs_keys = any(place.startswith(KEY) or isinstance(placed, Crowd) for place, placed in self._under.items())

    def first(self, labels: Pairs, most: int) -> list[str]:
        """The rids of the first objects that select the labels, in order, at most so many."""
        if not self._under:
            return []
        found = [self._under[label] for label in (*labels, _ANYWHERE) if label in self._under]
        by_key: dict[str, str] | None = None
        if self._needs_keys:
            by_key = by_key_of(labels)
            found += [self._under[KEY + key] for key in by_key if KEY + key in self._under]
        if not found:
            return []
        holding = [one.holding(by_key or {}) if isinstance(one, Crowd) else _holding(one, labels, by_key) for one in found]
        return list(islice(holding[0] if len(holding) == 1 else merge(*holding), most))


def _holding(placed: list[_Placed], labels: Pairs, by_key: Mapping[str, str] | None) -> Iterator[str]:
    for rid, selector in placed:
        if selector.expressions and by_key is None:
            by_key = by_key_of(labels)
        if selector.holds(labels, by_key):
            yield rid


def _places(selector: Selector) -> Iterator[list[str]]:
    """Of each term that asks for something, the places at one of which a Pod that holds it is found."""
    for pair in selector.pairs:
        yield [pair]
    for key, values, wanted in selector.expressions:
        if wanted:
            yield [KEY + key] if values is None else [f"{key}={value}" for value in sorted(values)]


def _fewest(selector: Selector, asked: Counter[str]) -> list[str]:
    return min(_places(selector), key=lambda places: (max(map(asked.__getitem__, places), default=0), places), default=[_ANYWHERE])
