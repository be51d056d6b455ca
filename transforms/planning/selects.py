"""SELECTS: a Service or NetworkPolicy and the Pods of its namespace whose labels hold all that its selector asks for."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from transforms.model.graph import SELECTED, SELECTING, SELECTS
from transforms.planning.lives import Life, LifeChange, Lives
from transforms.planning.selectors import Pairs, Selector, parse_selector
from transforms.planning.stored import GraphReader, Triple

_SELECTING: Final = tuple(f"{label.lower()}:" for label in SELECTING)
_PODS: Final = (f"{SELECTED.lower()}:",)


class Selects:
    """Judges the pairs that a batch's selecting objects and Pods take part in, against the stored state of their namespaces."""

    def __init__(self, reader: GraphReader, lives: Lives) -> None:
        self._reader = reader
        self._lives = lives
        self.judged: set[Triple] = set()
        self.implied: set[Triple] = set()

    def apply(self, changes: list[LifeChange]) -> None:
        selecting = [change for change in changes if _is(change, _SELECTING) and _selector(change.was) != _selector(change.now)]
        pods = [change for change in changes if _is(change, _PODS) and _labels(change.was) != _labels(change.now)]
        if not selecting and not pods:
            return
        self._judge_old({change.rid for change in [*selecting, *pods] if change.was})
        self._match(_after(selecting, _selector), self._stored(self._reader.labels, selecting) | _after(changes, _labels, _PODS))
        self._match(self._stored(self._reader.selectors, pods) | _after(changes, _selector, _SELECTING), _after(pods, _labels))

    def _judge_old(self, rids: set[str]) -> None:
        for edge in self._reader.edges_at(rids) if rids else []:
            if edge.triple.type == SELECTS.type and edge.derived:
                self.judged.add(edge.triple)

    def _stored(self, read: Callable[[Collection[str]], dict[str, list[str]]], others: list[LifeChange]) -> dict[str, Pairs | None]:
        """The stored counterparts in the namespaces of those that changed."""
        namespaces = {_namespace(change.rid) for change in others if change.now}
        return {rid: frozenset(pairs) for rid, pairs in read(sorted(namespaces)).items()} if namespaces else {}

    def _match(self, selecting: dict[str, Pairs | None], pods: dict[str, Pairs | None]) -> None:
        for selector, pod in matches(selecting, pods):
            triple = Triple(SELECTS.type, selector, pod)
            self.judged.add(triple)
            self.implied.add(triple)


def matches(selecting: Mapping[str, Pairs | None], pods: Mapping[str, Pairs | None]) -> Iterator[tuple[str, str]]:
    """Each selecting object with each Pod of its namespace that it selects, by rid; without a term it selects nothing.

    It is looked for under the pair that the fewest others ask for, so that a namespace of many Services and many Pods costs
    about their sum and not their product; those that ask for no pair are tried with every Pod of their namespace.
    """
    wanted = {rid: parse_selector(terms) for rid, terms in selecting.items() if terms}
    asked = Counter((_namespace(rid), pair) for rid, selector in wanted.items() for pair in selector.pairs)
    under: dict[tuple[str, str], list[tuple[str, Selector]]] = {}
    for rid, selector in wanted.items():
        namespace = _namespace(rid)
        places = [(namespace, pair) for pair in selector.pairs] or [(namespace, "")]
        under.setdefault(min(places, key=lambda place: (asked[place], place)), []).append((rid, selector))
    for pod, labels in pods.items() if under else ():
        if labels is None:
            continue
        namespace = _namespace(pod)
        for pair in (*labels, ""):
            for rid, selector in under.get((namespace, pair), ()):
                if selector.holds(labels):
                    yield rid, pod


def _is(change: LifeChange, kinds: tuple[str, ...]) -> bool:
    return change.rid.startswith(kinds)


def _namespace(rid: str) -> str:
    return rid.split(":", 2)[1]


def _selector(life: Life | None) -> Pairs | None:
    return None if life is None else frozenset(life.selector)


def _labels(life: Life | None) -> Pairs | None:
    return None if life is None else frozenset(life.labels)


def _after(
    changes: list[LifeChange], pairs: Callable[[Life | None], Pairs | None], kinds: tuple[str, ...] = ("",)
) -> dict[str, Pairs | None]:
    """The objects of some kinds that changed, as they are after the batch; None for those that are gone."""
    return {change.rid: pairs(change.now) for change in changes if _is(change, kinds)}
