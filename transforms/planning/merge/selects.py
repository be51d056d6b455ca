"""SELECTS: a Service or NetworkPolicy and the Pods of its namespace whose labels hold all that its selector asks for.

Of the Services that select a Pod the first `MOST_JOINED` in the order of their rids are joined with it, of the NetworkPolicies
likewise: a namespace where many select many comes to relationships in proportion to its Pods and not to the product. The Pod
says so in a property (docs/adr/022). What selects everything is joined with its Namespace instead (`implied.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from transforms.model.graph import CAPPED, SELECTED, SELECTING, SELECTS
from transforms.model.limits import MOST_JOINED
from transforms.planning.facts.changes import Changes, TooMany
from transforms.planning.facts.selectors import Pairs
from transforms.planning.facts.stored import GraphReader, Triple
from transforms.planning.merge.incarnations import Incarnation, Incarnations, LifeChange
from transforms.planning.merge.matching import Matcher, joins_pods

_LABEL_OF: Final = {label.lower(): label for label in SELECTING}
_SELECTING: Final = tuple(f"{token}:" for token in _LABEL_OF)
_PODS: Final = f"{SELECTED.lower()}:"

# By namespace and kind, the terms of selecting objects by rid.
_Sides = Mapping[tuple[str, str], Mapping[str, Pairs]]


class Selects:
    """Judges the pairs that a batch's selecting objects and Pods take part in, against the stored state of their namespaces.

    most: relationships that may be judged, TooMany beyond; 0 for any number. capped: of Pods, the properties that change or are known.
    """

    def __init__(self, reader: GraphReader, lives: Incarnations, most: int = 0) -> None:
        self._reader = reader
        self._lives = lives
        self._most = most
        self._changed: set[str] = set()
        self.judged: set[Triple] = set()
        self.implied: set[Triple] = set()
        self.capped: dict[str, dict[str, bool]] = defaultdict(dict)

    def apply(self, changes: list[LifeChange]) -> None:
        selecting = [change for change in changes if change.rid.startswith(_SELECTING) and _selection(change.was) != _selection(change.now)]
        pods = [change for change in changes if change.rid.startswith(_PODS) and _labels(change.was) != _labels(change.now)]
        if not selecting and not pods:
            return
        self._changed = {change.rid for change in selecting}
        self._judge_old({change.rid for change in [*selecting, *pods] if change.was})
        stored = self._stored_terms({_namespace(change.rid) for change in [*selecting, *pods]})
        base = {place: {rid: one for rid, one in held.items() if rid not in self._changed} for place, held in stored.items()}
        was = {place: {rid: one for rid, one in held.items() if rid in self._changed} for place, held in stored.items()}
        now = _by_place((change.rid, _terms(change.now)) for change in selecting)
        unchanged = {place: Matcher(held) for place, held in base.items()}
        before = {place: Matcher(held) for place, held in was.items() if held}
        after = {place: Matcher(held) for place, held in now.items()}
        fresh = {change.rid: change.now for change in pods}
        self._judge_pods(fresh, unchanged, after)
        self._judge_others(selecting, fresh.keys(), unchanged, before, after)

    def _judge_old(self, rids: set[str]) -> None:
        for edge in self._reader.edges_at(rids) if rids else []:
            if edge.triple.type == SELECTS.type and edge.derived and edge.triple.target.startswith(_PODS):
                self.judged.add(edge.triple)
        self._must_be_few()

    def _stored_terms(self, namespaces: set[str]) -> dict[tuple[str, str], dict[str, Pairs]]:
        return _by_place((rid, frozenset(terms)) for rid, terms in self._reader.selectors(sorted(namespaces)).items())

    def _judge_pods(
        self, pods: Mapping[str, Incarnation | None], unchanged: Mapping[tuple[str, str], Matcher], after: Mapping[tuple[str, str], Matcher]
    ) -> None:
        """Pods that are new or labelled anew: all that selects them."""
        for rid, life in pods.items():
            if life is None:
                continue
            labels = frozenset(life.labels)
            for token, label in _LABEL_OF.items():
                place = (_namespace(rid), token)
                hits = _first(_hits(unchanged.get(place), labels), _hits(after.get(place), labels))
                self.capped[rid][CAPPED[label]] = len(hits) > MOST_JOINED
                for selecting in hits[:MOST_JOINED]:
                    self._judge(selecting, rid, stands=True)
            self._must_be_few()

    def _judge_others(
        self,
        selecting: list[LifeChange],
        fresh: Iterable[str],
        unchanged: Mapping[tuple[str, str], Matcher],
        before: Mapping[tuple[str, str], Matcher],
        after: Mapping[tuple[str, str], Matcher],
    ) -> None:
        """The Pods that stay as they are, where what selects them is another."""
        others = self._reader.labels(sorted({_namespace(change.rid) for change in selecting})) if selecting else {}
        for rid in others.keys() - fresh:
            labels = frozenset(others[rid])
            for token, label in _LABEL_OF.items():
                place = (_namespace(rid), token)
                was, now = _hits(before.get(place), labels), _hits(after.get(place), labels)
                if was or now:
                    base = _hits(unchanged.get(place), labels)
                    self._judge_other(rid, CAPPED[label], _first(base, was), _first(base, now))

    def _judge_other(self, rid: str, capped: str, before: list[str], after: list[str]) -> None:
        if (len(before) > MOST_JOINED) is not (len(after) > MOST_JOINED):
            self.capped[rid][capped] = len(after) > MOST_JOINED
        stood, stand = set(before[:MOST_JOINED]), set(after[:MOST_JOINED])
        for selecting in (stood ^ stand) | ((stood | stand) & self._changed):
            self._judge(selecting, rid, stands=selecting in stand)
        self._must_be_few()

    def _judge(self, selecting: str, pod: str, *, stands: bool) -> None:
        triple = Triple(SELECTS.type, selecting, pod)
        self.judged.add(triple)
        if stands:
            self.implied.add(triple)

    def _must_be_few(self) -> None:
        if self._most and len(self.judged) > self._most:
            raise TooMany(len(self.judged))

    def write(self, changes: Changes) -> None:
        """Add to Pods whether more select them than they are joined with; after the nodes."""
        changes.caps |= any(is_capped for known in self.capped.values() for is_capped in known.values())
        for rid, known in self.capped.items():
            if rid not in changes.nodes:
                held = self._lives.capped(rid)
                changed = {name: is_capped for name, is_capped in known.items() if is_capped is not (name in held)}
                if changed and self._lives.is_live(rid):
                    changes.capped[rid] = changed
        for rid, props in changes.nodes.items():
            if rid.startswith(_PODS):
                known = {**dict.fromkeys(self._lives.capped(rid), True), **self.capped.get(rid, {})}
                props.update({name: True for name, is_capped in known.items() if is_capped})


def _hits(matcher: Matcher | None, labels: Pairs) -> list[str]:
    return matcher.first(labels, MOST_JOINED + 1) if matcher else []


def _first(one: list[str], other: list[str]) -> list[str]:
    """The first of both together, as many as tell whether there are more than are joined."""
    return sorted([*one, *other])[: MOST_JOINED + 1] if one and other else one or other


def _by_place(terms: Iterable[tuple[str, Pairs | None]]) -> dict[tuple[str, str], dict[str, Pairs]]:
    """Those that are joined with Pods, by namespace and kind."""
    found: dict[tuple[str, str], dict[str, Pairs]] = {}
    for rid, one in _joining(terms):
        token, namespace, _ = rid.split(":", 2)
        found.setdefault((namespace, token), {})[rid] = one
    return found


def _joining(terms: Iterable[tuple[str, Pairs | None]]) -> Iterator[tuple[str, Pairs]]:
    return ((rid, one) for rid, one in terms if one is not None and joins_pods(one))


def _namespace(rid: str) -> str:
    return rid.split(":", 2)[1]


def _terms(life: Incarnation | None) -> Pairs | None:
    return None if life is None else frozenset(life.selector)


def _selection(life: Incarnation | None) -> tuple[Pairs | None, tuple[str, ...]]:
    """What the object selects, one by one or by its Namespace; graphs of older versions hold the former where it is now the latter."""
    terms = _terms(life)
    return terms, life.implies if life is not None and terms and not joins_pods(terms) else ()


def _labels(life: Incarnation | None) -> Pairs | None:
    return None if life is None else frozenset(life.labels)
