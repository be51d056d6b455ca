"""The flow without Kafka, Beam and Neo4j: what the same records must come to."""

from collections.abc import Iterable, Sequence

from scripts.sampling.record import SampleRecord
from transforms.planning.interpret.dispatch import interpret
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
) -> tuple[MemoryGraphStore, list[str]]:
    """The graph after the records, one after the other, and the reasons of those that were rejected. incidents: whether they are kept."""
    store = MemoryGraphStore()
    rejects: list[str] = []
    resolver = TenantResolver(rules or TenantRules())
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
            if mutations:
                store.write_batch(owned.client_id, mutations)
    if incidents:
        # Whenever a run analyses, what holds in the end is a function of the whole graph.
        MemoryIncidents(store).analyse(store.tenants)
    return store, rejects


def expected_digests(
    records: Iterable[SampleRecord],
    rules: TenantRules | None = None,
    offsets: Sequence[int] | None = None,
    *,
    incidents: bool = True,
) -> dict[str, str]:
    """Each tenant's digest after the records. incidents: whether they are kept; those of different tenants have different ids."""
    store, _ = played(records, rules, offsets, incidents=incidents)
    return {client_id: store.digest(client_id).hexdigest() for client_id in store.tenants}
