"""Records through decoding, tenants, interpretation and the graph in memory, for the tests to look at what becomes of them."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

from tests.support.wire import AT_MS, TENANT, json_of
from transforms.planning.facts.mutations import Mutation
from transforms.planning.interpret.dispatch import interpret
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.records.decode import decode_record
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reject
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.records.wrappers.unwrap import SchemaLookup
from transforms.steps.elements import Resolved
from transforms.steps.resolve_tenants import resolve
from transforms.testing.memory_graph import MemoryGraphStore, MemoryTenant

Played = list[tuple[str, list[tuple[str, Mutation]]]]


def played(records: list[KafkaRecord], schemas: SchemaLookup | None = None) -> Played:
    """Of each record its outcome, as far as it has one before the graph, else "", and its mutations with their tenant."""
    resolver = TenantResolver(TenantRules())
    return [_play(record, resolver, schemas) for record in records]


def _play(record: KafkaRecord, resolver: TenantResolver, schemas: SchemaLookup | None) -> tuple[str, list[tuple[str, Mutation]]]:
    decoded = decode_record(record, schemas=schemas)
    found = resolve(decoded, resolver)
    if isinstance(found, Reject):
        return found.detail, []
    if not isinstance(found, Resolved):
        return str(found[1]), []
    assert decoded.body is not None
    try:
        mutations = interpret(record.topic, decoded.body, found.client_id, decoded.ver, raw_key=decoded.key.raw)
    except Fault as fault:
        return fault.detail, []
    return ("" if mutations else "unchanged"), [(found.client_id, one) for one in mutations]


def written(play: Played) -> tuple[MemoryGraphStore, list[str]]:
    """The graph after the records, one batch each, and the outcome of each record."""
    store, outcomes = MemoryGraphStore(), []
    for outcome, owned in play:
        found = [str(store.write_batch(client_id, [one]).outcomes[0]) for client_id, one in owned]
        outcomes.append(outcome or found[0])
    return store, outcomes


def digest_at_once(play: Played, turn: Callable[[Played], Played]) -> dict[str, str]:
    """The digests where all records come in one batch of each tenant, in another order."""
    folded: dict[str, Folded] = {}
    for _, owned in turn(play):
        for client_id, one in owned:
            fold(folded.setdefault(client_id, {}), [Interpreted(one, None)])
    store = MemoryGraphStore()
    for client_id, held in folded.items():
        store.write_batch(client_id, [one.mutation for one in held.values()])
    return {client_id: store.digest(client_id).hexdigest() for client_id in folded}


def live(graph: MemoryTenant) -> dict[str, dict[str, Any]]:
    return {rid: node for rid, node in graph.resources.items() if "stub" not in node}


def standing(graph: MemoryTenant) -> set[tuple[str, str, str]]:
    about = {("ABOUT", at.key, rid) for at, rid in graph.references.items() if at.label == "Episodic"}
    return {(one.type, one.source, one.target) for one in graph.triples()} | about


Sent = tuple[str, str, dict[str, Any] | bytes | None]


def graph_of(*sent: Sent) -> MemoryTenant:
    """The tenant's graph after records of (topic, raw key, value), a second apart; the same in every order of arrival.

    All of them must be taken.
    """
    records = [
        KafkaRecord(topic, 0, at, AT_MS + 1000 * at, f"{TENANT}::{key}".encode(), json_of(value) if isinstance(value, dict) else value)
        for at, (topic, key, value) in enumerate(sent)
    ]
    play = played(records)
    assert not any(outcome for outcome, _ in play if outcome not in ("control", "unchanged")), play
    store, _ = written(play)
    digest = store.digest(TENANT).hexdigest()
    for turned in permutations(play):
        other, _ = written(list(turned))
        assert other.digest(TENANT).hexdigest() == digest
    return store.tenants[TENANT]


def outcome_of(topic: str, value: dict[str, Any] | bytes, key: str = f"{TENANT}::k") -> str:
    """What becomes of a record: a word, or what its reject says."""
    record = KafkaRecord(topic, 0, 0, AT_MS, key.encode(), json_of(value) if isinstance(value, dict) else value)
    return written(played([record]))[1][0]
