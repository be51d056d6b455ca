"""From a decoded body to the mutations that it means; the first one is the record's primary mutation.

A response of Prometheus that lists nothing means nothing: there are no mutations then.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from transforms.planning.facts.mutation_template import MutationTemplate
from transforms.planning.facts.mutations import Mutation
from transforms.planning.interpret.edge import edge_meaning, edge_tombstone
from transforms.planning.interpret.event import event_mutation, event_mutations
from transforms.planning.interpret.log import log_mutation, log_mutations
from transforms.planning.interpret.resource import manifest_mutation, resource_meaning, resource_tombstone, snapshot_mutation
from transforms.planning.interpret.rule import listed_rules, rule_mutations, rule_tombstone
from transforms.planning.interpret.target import listed_targets, target_mutations, target_tombstone
from transforms.records.decoded_bodies import CONTENT_BYTES, GENERATION_WEIGHT, weight_of
from transforms.records.envelopes.types import (
    Body,
    Edge,
    Event,
    EventList,
    Log,
    LogList,
    Manifest,
    Resource,
    Rule,
    RuleList,
    Snapshot,
    Target,
    TargetList,
    Tombstone,
)
from transforms.records.memo import GenerationalCache
from transforms.records.topic_names import EVENTS, LOGS, RESOURCES, RULES, TARGETS, TOPOLOGY
from transforms.records.wrappers.unwrap import OPENING

# How much more the text in an Avro payload is, at most in practice.
_WRAPPED_TIMES: Final = 8


class InterpretationCache:
    """Meanings worked out before, by the body itself: what decoding found again is not interpreted again.

    weight: as in `Contents`. calls: as in `resource_meaning`.
    """

    def __init__(self, weight: int = GENERATION_WEIGHT, *, calls: bool = True) -> None:
        self._calls = calls
        self._memo: GenerationalCache[int, tuple[Body, MutationTemplate]] = GenerationalCache(weight)

    def of(self, body: Body, text: bytes | None) -> MutationTemplate:
        """text: the record's value, which decoding keeps no body of if it is large."""
        held = self._memo.get(id(body))
        # A number is given to another object once its first bearer is gone; the memo keeps its bearers.
        if held is not None and held[0] is body:
            return held[1]
        meaning = _mean(body, calls=self._calls)
        if text and len(text) <= CONTENT_BYTES:
            self._memo.put(id(body), (body, meaning), weight_of(text) * (1 if text[0] == OPENING else _WRAPPED_TIMES))
        return meaning


def interpret(
    topic: str,
    body: Body,
    client_id: str,
    ver: str,
    meanings: InterpretationCache | None = None,
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


def _mean(body: Body, *, calls: bool = True) -> MutationTemplate:
    return (_MEANINGS if calls else _WITHOUT_CALLS)[type(body)](body)


Interpret = Callable[[str, str, Any, str], tuple[Mutation, ...]]


class Interpreter(NamedTuple):
    """What the records of a topic mean.

    templates: of bodies that come again and again with another time, so that their meaning is worth keeping.
    bodies: of the others, (client_id, ver, body, raw_key) to mutations. tombstone: of a state topic, what (client_id, ver, raw_key) means.
    """

    templates: Mapping[type, Callable[[Any], MutationTemplate]] = {}
    bodies: Mapping[type, Interpret] = {}
    tombstone: Callable[[str, str, str], tuple[Mutation, ...]] | None = None


def _single(mutation: Callable[[str, str, Any], Mutation]) -> Interpret:
    return lambda client_id, ver, body, _: (mutation(client_id, ver, body),)


INTERPRETERS: Final = {
    RESOURCES: Interpreter(
        {Resource: resource_meaning}, {Snapshot: _single(snapshot_mutation), Manifest: _single(manifest_mutation)}, resource_tombstone
    ),
    TOPOLOGY: Interpreter({Edge: edge_meaning}, tombstone=edge_tombstone),
    EVENTS: Interpreter(bodies={Event: _single(event_mutation), EventList: event_mutations}),
    LOGS: Interpreter(bodies={Log: _single(log_mutation), LogList: log_mutations}),
    TARGETS: Interpreter(bodies={Target: target_mutations, TargetList: listed_targets}, tombstone=target_tombstone),
    RULES: Interpreter(bodies={Rule: rule_mutations, RuleList: listed_rules}, tombstone=rule_tombstone),
}
_MEANINGS: Final[Mapping[type, Callable[[Any], MutationTemplate]]] = {
    body: template for one in INTERPRETERS.values() for body, template in one.templates.items()
}
_WITHOUT_CALLS: Final[Mapping[type, Callable[[Any], MutationTemplate]]] = {**_MEANINGS, Resource: partial(resource_meaning, calls=False)}
_MUTATIONS: Final = {body: interpret_body for one in INTERPRETERS.values() for body, interpret_body in one.bodies.items()}
_TOMBSTONES: Final = {name: one.tombstone for name, one in INTERPRETERS.items() if one.tombstone}
