"""A bounded memory of what was worked out before, for traffic that says the same again and again."""

from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# Agents report each object every 30 s; this many distinct ones are told from new ones without reading them again.
GENERATION: Final = 8192


class Memo(Generic[K, V]):
    """Holds what was put or found lately, at most two generations of `size` entries.

    When the younger generation is full it becomes the older one, and what nobody asked for meanwhile is let go: an
    approximation of "least recently used" that costs one or two dictionary look-ups and no bookkeeping.
    """

    __slots__ = ("_old", "_size", "_young")

    def __init__(self, size: int = GENERATION) -> None:
        self._size = size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = value
