"""The flow without Kafka, Beam and Neo4j: what the same records must come to."""

from collections import Counter
from collections.abc import Iterable

from scripts.sampling.record import SampleRecord
from transforms.io.memory_graph import MemoryGraphStore
from transforms.planning.interpret import interpret
from transforms.records.codecs import decode_record
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault
from transforms.records.tenant import TenantRules
from transforms.steps.resolve_tenants import Owned, resolve


def expected_digests(records: Iterable[SampleRecord], rules: TenantRules | None = None) -> dict[str, str]:
    """Each tenant's digest after the records, one after the other."""
    store = MemoryGraphStore()
    offsets: Counter[str] = Counter()
    for one in records:
        offsets[one.topic] += 1
        record = KafkaRecord(one.topic, 0, offsets[one.topic], one.timestamp_ms, one.key, one.value, one.headers)
        decoded = decode_record(record)
        owned = resolve(decoded, rules or TenantRules())
        if isinstance(owned, Owned) and decoded.body is not None:
            try:
                mutations = interpret(one.topic, decoded.body, owned.client_id, decoded.ver)
            except Fault:
                continue
            store.write_batch(owned.client_id, mutations, 0, 0)
    return {client_id: store.digest(client_id).hexdigest() for client_id in store.tenants}
