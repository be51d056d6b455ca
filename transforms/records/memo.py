"""A bounded memory of what was worked out before, for traffic that says the same again and again."""

from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

# Agents report each object every 30 s; this many distinct ones are told from new ones without reading them again. A memo
# that is too small for a fleet is worse than none: objects come in turns, each one just after it was forgotten.
GENERATION: Final = 32 * 1024


class GenerationalCache(Generic[K, V]):
    """Holds what was put or found lately, at most two generations of `size` each.

    When the younger generation is full it becomes the older one, and what nobody asked for meanwhile is let go: an
    approximation of "least recently used" that costs one or two dictionary look-ups and no bookkeeping.
    size: of the weights that entries are put with; 1 each unless told.
    """

    __slots__ = ("_held", "_old", "_size", "_young")

    def __init__(self, size: int = GENERATION) -> None:
        self._size = size
        self._held = 0
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}

    def get(self, key: K) -> V | None:
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        if self._held >= self._size:
            self._old, self._young, self._held = self._young, {}, 0
        self._young[key] = (value, weight)
        self._held += weight
