"""The numbers that steps counted, by declared count and label values; they add up over slices, runs and looks at a job."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from transforms.model.metrics import COUNTS, OUTCOMES, Count
from transforms.records.outcomes import Outcome, Tally

Labels = tuple[str, ...]


class Counts:
    """Numbers by count and label values. Two are equal where all their numbers are.

    numbers: by count, a mapping of label values to numbers; the key of a count without labels is ().
    """

    __slots__ = ("_numbers",)

    def __init__(self, numbers: Mapping[Count, Mapping[Any, int]] | None = None) -> None:
        self._numbers: dict[Count, Counter[Labels]] = {what: Counter(by_labels) for what, by_labels in (numbers or {}).items()}

    def of(self, what: Count) -> Counter[Labels]:
        """The numbers of one count, by label values."""
        return self._numbers.get(what, Counter())

    def total(self, what: Count) -> int:
        """The sum over all label values."""
        return self.of(what).total()

    def add(self, what: Count, labels: Labels, number: int) -> None:
        self._numbers.setdefault(what, Counter())[labels] += number

    def update(self, other: "Counts") -> None:
        """Add all of the other's numbers."""
        for what in COUNTS:
            if by_labels := other.of(what):
                self._numbers.setdefault(what, Counter()).update(by_labels)

    @property
    def outcomes(self) -> Tally:
        """What became of records, by tenant and outcome."""
        return Tally({(client_id, Outcome(outcome)): number for (client_id, outcome), number in self.of(OUTCOMES).items()})

    def reported(self) -> dict[str, float]:
        """The totals that the JSON report of a run contains, by its keys."""
        return {what.report: what.reported(self.total(what)) for what in COUNTS if what.report}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counts) and all(self.of(what) == other.of(what) for what in COUNTS)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Counts({self._numbers})"


def counts_of(counters: Iterable[tuple[str, str, int]]) -> Counts:
    """The counts in these counters of (namespace, name, number); counters of others are passed over."""
    found = Counts()
    for namespace, name, number in counters:
        what = _ONLY.get((namespace, name)) or _LABELLED.get(namespace)
        if what is not None:
            found.add(what, what.label_values(name), number)
    return found


_LABELLED: Final = {namespace: what for what in COUNTS if what.labels for namespace in (what.namespace, *what.also)}
_ONLY: Final = {(what.namespace, what.name): what for what in COUNTS if not what.labels}
