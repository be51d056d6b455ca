"""SELECTS: a Service and the Pods of its namespace whose labels hold all that its selector asks for."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from transforms.model.graph import SELECTS
from transforms.planning.lives import Life, LifeChange, Lives
from transforms.planning.stored import GraphReader, Triple

SERVICE: Final = "service"
POD: Final = "pod"

Pairs = frozenset[str]


class Selects:
    """Judges the pairs that a batch's Services and Pods take part in, against the stored state of their namespaces."""

    def __init__(self, reader: GraphReader, lives: Lives) -> None:
        self._reader = reader
        self._lives = lives
        self.judged: set[Triple] = set()
        self.implied: set[Triple] = set()

    def apply(self, changes: list[LifeChange]) -> None:
        services = [change for change in changes if _is(change, SERVICE) and _selector(change.was) != _selector(change.now)]
        pods = [change for change in changes if _is(change, POD) and _labels(change.was) != _labels(change.now)]
        if not services and not pods:
            return
        self._judge_old({change.rid for change in [*services, *pods] if change.was})
        self._match(_after(services, _selector), self._stored(self._reader.labels, services) | _after(changes, _labels, POD))
        self._match(self._stored(self._reader.selectors, pods) | _after(changes, _selector, SERVICE), _after(pods, _labels))

    def _judge_old(self, rids: set[str]) -> None:
        for edge in self._reader.edges_at(rids) if rids else []:
            if edge.triple.type == SELECTS.type and edge.derived:
                self.judged.add(edge.triple)

    def _stored(self, read: Callable[[Collection[str]], dict[str, list[str]]], others: list[LifeChange]) -> dict[str, Pairs | None]:
        """The stored counterparts in the namespaces of those that changed."""
        namespaces = {_namespace(change.rid) for change in others if change.now}
        return {rid: frozenset(pairs) for rid, pairs in read(sorted(namespaces)).items()} if namespaces else {}

    def _match(self, services: dict[str, Pairs | None], pods: dict[str, Pairs | None]) -> None:
        for service, pod in matches(services, pods):
            triple = Triple(SELECTS.type, service, pod)
            self.judged.add(triple)
            self.implied.add(triple)


def matches(services: Mapping[str, Pairs | None], pods: Mapping[str, Pairs | None]) -> Iterator[tuple[str, str]]:
    """Each Service with each Pod of its namespace whose labels hold all of its selector; an empty selector selects nothing.

    A Service is looked for under the pair that the fewest others ask for, so that a namespace of many Services and
    many Pods costs about their sum and not their product.
    """
    wanted = {service: selector for service, selector in services.items() if selector}
    asked = Counter((_namespace(service), pair) for service, selector in wanted.items() for pair in selector)
    under: dict[tuple[str, str], list[tuple[str, Pairs]]] = {}
    for service, selector in wanted.items():
        namespace = _namespace(service)
        rarest = min(((namespace, pair) for pair in selector), key=lambda place: (asked[place], place))
        under.setdefault(rarest, []).append((service, selector))
    for pod, labels in pods.items() if under else ():
        namespace = _namespace(pod)
        for pair in labels or ():
            for service, selector in under.get((namespace, pair), ()):
                if labels is not None and selector <= labels:
                    yield service, pod


def _is(change: LifeChange, kind: str) -> bool:
    return change.rid.startswith(f"{kind}:")


def _namespace(rid: str) -> str:
    return rid.split(":", 2)[1]


def _selector(life: Life | None) -> Pairs | None:
    return None if life is None else frozenset(life.selector)


def _labels(life: Life | None) -> Pairs | None:
    return None if life is None else frozenset(life.labels)


def _after(changes: list[LifeChange], pairs: Callable[[Life | None], Pairs | None], kind: str = "") -> dict[str, Pairs | None]:
    """The objects of a kind that changed, as they are after the batch; None for those that are gone."""
    return {change.rid: pairs(change.now) for change in changes if not kind or _is(change, kind)}
