"""What a piece of work costs: a part that is the same for each piece, and a part in proportion to its size.

Fitted as it goes, by least squares over pieces of which older ones count less. To take all cost for proportional is a trap: where most of
it is fixed, a piece that took too long is made smaller, takes as long again for less, and so on without an end.
"""

from dataclasses import dataclass
from typing import Final

# What a piece counts for after the next one.
_KEPT: Final = 0.7
# Sizes must differ by about so much of their mean, squared, to tell the two parts apart; otherwise the fixed part is as it was.
_SPREAD: Final = 0.005
# The proportional part is never less than so much of the mean cost: pieces do not become endless by a chance.
_LEAST_SLOPE: Final = 0.02


@dataclass(slots=True)
class CostModel:
    """Seconds of a piece by its size. fixed: of any piece, 0 until sizes have differed."""

    fixed: float = 0.0
    _weight: float = 0.0
    _size: float = 0.0
    _seconds: float = 0.0
    _size_size: float = 0.0
    _size_seconds: float = 0.0

    @property
    def is_known(self) -> bool:
        return self._weight > 0

    @property
    def slope(self) -> float:
        """Seconds for each unit of size, above `fixed`."""
        size, seconds = self._size / self._weight, self._seconds / self._weight
        return max((seconds - self.fixed) / size, _LEAST_SLOPE * seconds / size, 1e-9)

    def took(self, size: float, seconds: float) -> None:
        """Learn from a piece of a size above 0."""
        for name, value in (("_weight", 1.0), ("_size", size), ("_seconds", seconds)):
            setattr(self, name, getattr(self, name) * _KEPT + value)
        self._size_size = self._size_size * _KEPT + size * size
        self._size_seconds = self._size_seconds * _KEPT + size * seconds
        mean_size, mean_seconds = self._size / self._weight, self._seconds / self._weight
        variance = self._size_size / self._weight - mean_size * mean_size
        if variance > _SPREAD * mean_size * mean_size:
            slope = (self._size_seconds / self._weight - mean_size * mean_seconds) / variance
            self.fixed = mean_seconds - slope * mean_size
        self.fixed = min(max(self.fixed, 0.0), mean_seconds)

    def size_for(self, seconds: float) -> float:
        """The size that takes so many seconds; where the fixed part leaves little of them, one that takes as long again as that part."""
        return max(seconds - self.fixed, self.fixed) / self.slope
