"""How much an analysis may compare: a tenant's objects can be paired with each other in more ways than there is time for.

One unit stands for about a microsecond. What is compared is charged before it is compared, whether or not the answer is known from
before, so that equal graphs are charged alike. Each subject has an effort of its own: what exhausts one leaves the others whole.
"""

from typing import Final

MOST: Final = 500_000


class Effort:
    """Charges by subject."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._left: dict[str, int] = {}
        self.is_spent = False

    def affords(self, subject: str, cost: int) -> bool:
        """Charge the subject; False, and nothing is charged, where that is more than it has left."""
        left = self._left.get(subject, self._most)
        if cost > left:
            self.is_spent = True
            return False
        self._left[subject] = left - cost
        return True
