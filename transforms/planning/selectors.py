"""Selectors of Pods as lists of terms, and whether labels hold them.

Labels and selectors are lists of text: a graph stores no maps, and a list can be searched with IN. A term is `key=value`, or
what kubectl writes for an expression: `key in (a,b)`, `key notin (a,b)`, `key`, `!key`; `*` alone selects every Pod. A list
without a term selects none: a Service without a selector does, a NetworkPolicy with an empty one selects all.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from transforms.planning.values import pairs_of
from transforms.records.spec_traffic import LabelSelector, Requirement

EVERYTHING: Final = "*"
_IN: Final = " in ("
_NOT_IN: Final = " notin ("

Pairs = frozenset[str]


def terms_of(selector: LabelSelector) -> list[str]:
    """A label selector as sorted terms; an empty one selects everything."""
    expressions = {_term(one) for one in selector.match_expressions or ()}
    return sorted(expressions.union(pairs_of(selector.match_labels) or ())) or [EVERYTHING]


def _term(one: Requirement) -> str:
    values = ",".join(sorted(set(one.values or ())))
    terms = {"In": f"{one.key}{_IN}{values})", "NotIn": f"{one.key}{_NOT_IN}{values})", "Exists": one.key, "DoesNotExist": f"!{one.key}"}
    return terms[one.operator]


class Selector(NamedTuple):
    """A selector taken apart: the `key=value` that labels must hold, and the expressions, which need more of a look."""

    pairs: Pairs
    expressions: Pairs

    def holds(self, labels: Pairs) -> bool:
        """Whether it selects a Pod with these labels."""
        if not self.pairs <= labels:
            return False
        if not self.expressions:
            return True
        by_key = dict(label.split("=", 1) for label in labels)
        return all(_holds(term, by_key) for term in self.expressions)


def parse_selector(terms: Pairs) -> Selector:
    """The selector that the terms make."""
    pairs = frozenset(term for term in terms if "=" in term)
    return Selector(pairs, terms - pairs)


def _holds(term: str, labels: Mapping[str, str]) -> bool:
    if term == EVERYTHING:
        return True
    if term.startswith("!"):
        return term[1:] not in labels
    for between, wanted in ((_IN, True), (_NOT_IN, False)):
        key, found, values = term.partition(between)
        if found:
            return (key in labels and labels[key] in values.removesuffix(")").split(",")) is wanted
    return term in labels
