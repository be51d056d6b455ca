"""What a batch says of its tenant's times, and what becomes of further rows that the graph refuses."""

from collections.abc import Sequence

from structlog.testing import capture_logs

from tests.unit.failing_store import FailingStore
from tests.unit.wire import AT_MS, TARGETS, TENANT, kafka_record
from transforms.io.neo4j_graph import RowRefused
from transforms.io.neo4j_target import Neo4jTarget
from transforms.io.quarantine import Quarantine
from transforms.io.secrets import Secret
from transforms.planning.fold import Interpreted
from transforms.planning.mutations import DeleteReferrer, Mutation
from transforms.records.outcomes import Outcome
from transforms.records.record import make_ver
from transforms.steps.write import WriteGraphFn
from transforms.steps.write_tenant import Settled, TenantWriter
from transforms.steps.writing import Writing


def refusing(refused: str = "") -> FailingStore:
    """A store that refuses one key."""

    def answer(mutations: Sequence[Mutation]) -> RowRefused | None:
        found = any(isinstance(one, DeleteReferrer) and one.key == refused for one in mutations)
        return RowRefused("too long") if found else None

    return FailingStore(writes=answer)


def rows(*keys: str, after_ms: int = 0) -> list[Interpreted]:
    """What a record at that time has: the first row is its primary one."""
    ver = make_ver((AT_MS + after_ms) * 1000, TARGETS, 0, after_ms)
    record = kafka_record(TARGETS, b"x", timestamp_ms=AT_MS + after_ms, offset=after_ms)
    return [Interpreted(DeleteReferrer(TENANT, ver, "PromTarget", key), record if at == 0 else None) for at, key in enumerate(keys)]


def test_a_batch_of_further_rows_is_as_old_as_their_records() -> None:
    store = refusing()
    batch = rows("a", "b")[1:] + rows("c", "d", after_ms=7)[1:]
    writer = TenantWriter(store, Quarantine(store), 3)
    assert len(writer.write(TENANT, batch).results) == 2
    writer.write(TENANT, rows("a", "b"))
    assert store.times == [(AT_MS, AT_MS + 7), (AT_MS, AT_MS)]


def test_a_further_row_that_the_graph_refuses_is_logged_with_its_record() -> None:
    store = refusing("b")
    settled = TenantWriter(store, Quarantine(store), 3).write(TENANT, rows("a", "b", "c"))
    assert [outcome for _, outcome in settled.results if isinstance(outcome, Outcome)] == [Outcome.WRITTEN] * 2

    with capture_logs() as logs:
        WriteGraphFn(Neo4jTarget("bolt://none", "", Secret(), retry_s=1), Writing(1))._settle([Settled(TENANT, settled.results, 2)])

    (said,) = logs
    assert (said["event"], said["client_id"], said["detail"]) == ("a further row of a record was refused", TENANT, "too long")
    assert f"{TARGETS} 0000000000 " in said["ver"]
