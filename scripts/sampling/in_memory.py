"""The flow without Kafka, Beam and Neo4j: what the same records must come to."""

from collections.abc import Iterable, Sequence

from scripts.sampling.record import SampleRecord
from transforms.planning.facts.changes import TooMany
from transforms.planning.interpret.dispatch import interpret
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.records.decode import decode_record
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reject
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.elements import Resolved
from transforms.steps.resolve_tenants import resolve
from transforms.testing.memory_graph import MemoryGraphStore
from transforms.testing.memory_incidents import MemoryIncidents


def played(
    records: Iterable[SampleRecord],
    rules: TenantRules | None = None,
    offsets: Sequence[int] | None = None,
    *,
    incidents: bool = True,
    at_once: int = 1,
) -> tuple[MemoryGraphStore, list[str]]:
    """The graph after the records, one after the other, and the reasons of those that were rejected.

    incidents: whether they are kept. at_once: so many records of a tenant are written together, which is faster for many.
    """
    store = MemoryGraphStore()
    rejects: list[str] = []
    resolver = TenantResolver(rules or TenantRules())
    waiting: dict[str, Folded] = {}
    for at, one in enumerate(records):
        offset = offsets[at] if offsets else at
        record = KafkaRecord(one.topic, 0, offset, one.timestamp_ms, one.key, one.value, one.headers)
        decoded = decode_record(record)
        owned = resolve(decoded, resolver)
        if isinstance(owned, Reject):
            rejects.append(owned.reason)
        if isinstance(owned, Resolved) and decoded.body is not None:
            try:
                mutations = interpret(one.topic, decoded.body, owned.client_id, decoded.ver, raw_key=decoded.key.raw)
            except Fault as fault:
                rejects.append(fault.reason)
                continue
            if at_once > 1:
                held = waiting.setdefault(owned.client_id, {})
                fold(held, (Interpreted(mutation, None) for mutation in mutations))
                if len(held) >= at_once:
                    _write(store, owned.client_id, list(waiting.pop(owned.client_id).values()))
            elif mutations:
                store.write_batch(owned.client_id, mutations)
    for client_id, held in waiting.items():
        _write(store, client_id, list(held.values()))
    if incidents:
        # Whenever a run analyses, what holds in the end is a function of the whole graph.
        MemoryIncidents(store).analyse(store.tenants)
    return store, rejects


def _write(store: MemoryGraphStore, client_id: str, held: Sequence[Interpreted]) -> None:
    """Write them together; what comes to too many relationships in halves, as the job does."""
    try:
        store.write_batch(client_id, [one.mutation for one in held])
    except TooMany:
        middle = len(held) // 2
        if not middle:
            raise
        _write(store, client_id, held[:middle])
        _write(store, client_id, held[middle:])


def expected_digests(
    records: Iterable[SampleRecord],
    rules: TenantRules | None = None,
    offsets: Sequence[int] | None = None,
    *,
    incidents: bool = True,
    at_once: int = 1,
) -> dict[str, str]:
    """Each tenant's digest after the records.

    incidents: whether they are kept; those of different tenants have different ids. at_once: as in `played`.
    """
    store, _ = played(records, rules, offsets, incidents=incidents, at_once=at_once)
    return {client_id: store.digest(client_id).hexdigest() for client_id in store.tenants}
