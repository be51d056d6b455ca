"""Selectors of Pods as lists of terms, and whether labels hold them.

Labels and selectors are lists of text: a graph stores no maps, and a list can be searched with IN. A term is `key=value`, or
what kubectl writes for an expression: `key in (a,b)`, `key notin (a,b)`, `key`, `!key`; `*` alone selects every Pod. A list
without a term selects none: a Service without a selector does, a NetworkPolicy with an empty one selects all.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from transforms.planning.facts.values import pairs_of
from transforms.records.specs.traffic import LabelSelector, Requirement

EVERYTHING: Final = "*"
_IN: Final = " in ("
_NOT_IN: Final = " notin ("
# Namespaces have few selectors and their batches many Pods; the parsed ones of several large namespaces fit.
_PARSED: Final = 16 * 1024

Pairs = frozenset[str]


def terms_of(selector: LabelSelector) -> list[str]:
    """A label selector as sorted terms; an empty one selects everything."""
    expressions = {_term(one) for one in selector.match_expressions or ()}
    return sorted(expressions.union(pairs_of(selector.match_labels) or ())) or [EVERYTHING]


def _term(one: Requirement) -> str:
    values = ",".join(sorted(set(one.values or ())))
    terms = {"In": f"{one.key}{_IN}{values})", "NotIn": f"{one.key}{_NOT_IN}{values})", "Exists": one.key, "DoesNotExist": f"!{one.key}"}
    return terms[one.operator]


class Expression(NamedTuple):
    """A term that is no `key=value`. values: None for any. wanted: whether the key must have one of them, or must not."""

    key: str
    values: Pairs | None
    wanted: bool


class Selector(NamedTuple):
    """A selector taken apart: the `key=value` that labels must hold, and the expressions, which need more of a look."""

    pairs: Pairs
    expressions: tuple[Expression, ...]

    def holds(self, labels: Pairs, by_key: Mapping[str, str] | None = None) -> bool:
        """Whether it selects a Pod with these labels. by_key: the same labels as a map, where there is one already."""
        if not self.pairs <= labels:
            return False
        if not self.expressions:
            return True
        found = by_key_of(labels) if by_key is None else by_key
        for key, values, wanted in self.expressions:
            value = found.get(key)
            if (value is not None and (values is None or value in values)) is not wanted:
                return False
        return True


def by_key_of(labels: Iterable[str]) -> dict[str, str]:
    """Labels as a map."""
    return dict(label.split("=", 1) for label in labels)


@lru_cache(maxsize=_PARSED)
def parse_selector(terms: Pairs) -> Selector:
    """The selector that the terms make."""
    pairs = frozenset(term for term in terms if "=" in term)
    return Selector(pairs, tuple(_expression(term) for term in sorted(terms - pairs) if term != EVERYTHING))


def _expression(term: str) -> Expression:
    if term.startswith("!"):
        return Expression(term[1:], None, wanted=False)
    for between, wanted in ((_IN, True), (_NOT_IN, False)):
        key, found, values = term.partition(between)
        if found:
            return Expression(key, frozenset(values.removesuffix(")").split(",")), wanted)
    return Expression(term, None, wanted=True)
