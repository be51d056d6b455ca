"""From a decoded body to the mutations that it means; the first one is the record's primary mutation.

A response of Prometheus that lists nothing means nothing: there are no mutations then.
"""

from collections.abc import Callable
from typing import Any, Final

from transforms.planning.interpret_edge import edge_meaning, edge_tombstone
from transforms.planning.interpret_event import event_mutation, event_mutations
from transforms.planning.interpret_log import log_mutation, log_mutations
from transforms.planning.interpret_resource import resource_meaning, resource_tombstone, snapshot_mutation
from transforms.planning.interpret_rule import listed_rules, rule_mutations, rule_tombstone
from transforms.planning.interpret_target import listed_targets, target_mutations, target_tombstone
from transforms.planning.meaning import Meaning
from transforms.planning.mutations import Mutation
from transforms.records.contents import CONTENT_BYTES, GENERATION_WEIGHT, weight_of
from transforms.records.envelopes import (
    Body,
    Edge,
    Event,
    EventList,
    Log,
    LogList,
    Resource,
    Rule,
    RuleList,
    Snapshot,
    Target,
    TargetList,
    Tombstone,
)
from transforms.records.memo import Memo
from transforms.records.wire import OPENING

# How much more the text in an Avro payload is, at most in practice.
_WRAPPED_TIMES: Final = 8


class Meanings:
    """Meanings worked out before, by the body itself: what decoding found again is not interpreted again. weight: as in `Contents`."""

    def __init__(self, weight: int = GENERATION_WEIGHT) -> None:
        self._memo: Memo[int, tuple[Body, Meaning]] = Memo(weight)

    def of(self, body: Body, text: bytes | None) -> Meaning:
        """text: the record's value, which decoding keeps no body of if it is large."""
        held = self._memo.get(id(body))
        # A number is given to another object once its first bearer is gone; the memo keeps its bearers.
        if held is not None and held[0] is body:
            return held[1]
        meaning = _mean(body)
        if text and len(text) <= CONTENT_BYTES:
            self._memo.put(id(body), (body, meaning), weight_of(text) * (1 if text[0] == OPENING else _WRAPPED_TIMES))
        return meaning


def interpret(
    topic: str,
    body: Body,
    client_id: str,
    ver: str,
    meanings: Meanings | None = None,
    *,
    raw_key: str = "",
    text: bytes | None = None,
) -> tuple[Mutation, ...]:
    """The mutations of a body; raises Fault where its values name nothing or break a limit.

    topic: decides what a tombstone's raw key names.
    text: the record's value, for `meanings`.
    raw_key: the record's key less its tenant, for bodies that leave it to the key what they are called.
    """
    if isinstance(body, Tombstone):
        return _TOMBSTONES[topic](client_id, ver, body.raw_key)
    many = _MUTATIONS.get(type(body))
    if many is not None:
        return many(client_id, ver, body, raw_key)
    meaning = _mean(body) if meanings is None else meanings.of(body, text)
    return meaning.said(client_id, ver)


def _mean(body: Body) -> Meaning:
    return _MEANINGS[type(body)](body)


# Bodies that come again and again with another time, whose meaning is worth keeping.
_MEANINGS: Final[dict[type, Callable[[Any], Meaning]]] = {Resource: resource_meaning, Edge: edge_meaning}
# The others: (client_id, ver, body, raw_key) to mutations.
_MUTATIONS: Final[dict[type, Callable[[str, str, Any, str], tuple[Mutation, ...]]]] = {
    Event: lambda client_id, ver, body, _: (event_mutation(client_id, ver, body),),
    EventList: event_mutations,
    Snapshot: lambda client_id, ver, body, _: (snapshot_mutation(client_id, ver, body),),
    Target: target_mutations,
    TargetList: listed_targets,
    Rule: rule_mutations,
    RuleList: listed_rules,
    LogList: log_mutations,
    Log: lambda client_id, ver, body, _: (log_mutation(client_id, ver, body),),
}
_TOMBSTONES: Final[dict[str, Callable[[str, str, str], tuple[Mutation, ...]]]] = {
    "state.k8s.resource": resource_tombstone,
    "state.k8s.topology": edge_tombstone,
    "state.prom.targets": target_tombstone,
    "state.prom.rules": rule_tombstone,
}
