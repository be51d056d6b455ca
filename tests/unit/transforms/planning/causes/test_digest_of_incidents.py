"""Where the records of an incident were read is no part of a graph."""

from scripts.sampling.in_memory import played
from scripts.sampling.stream import sample_stream
from transforms.testing.memory_incidents import MemoryIncidents


def test_the_digest_is_that_of_the_same_records_at_other_offsets() -> None:
    records = sample_stream(clusters=1, resyncs=2, seed=3, poison_classes=0).records
    digests = set()
    said = set()
    for offsets in (range(len(records)), range(1000, 1000 + len(records))):
        store, _ = played(records, offsets=offsets)
        MemoryIncidents(store).analyse(store.tenants)
        ((client_id, tenant),) = store.tenants.items()
        assert tenant.incidents
        said.add(str([one.props["causes"] for one in tenant.incidents.values()]))
        digests.add(store.digest(client_id).hexdigest())

    assert len(said) == 2, "the explanations name the records"
    assert len(digests) == 1
