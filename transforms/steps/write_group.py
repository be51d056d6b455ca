"""Batches of several tenants into the graph in one transaction; a tenant that cannot be written so goes alone, and delays no other."""

import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from transforms.io.faults import InfrastructureFault
from transforms.io.graph_sink import BatchStore
from transforms.io.neo4j.errors import NotTogether, RowRefused, TenantFault, TenantLocked, TenantOutOfTime
from transforms.io.tenant_queues import Ended
from transforms.io.unforeseen import unforeseen
from transforms.planning.facts.changes import TenantBatch, TooMany
from transforms.planning.merge.fold import Interpreted
from transforms.planning.scheduling.adaptive_batch_size import AdaptiveBatchSize, BatchSizeLimits
from transforms.planning.scheduling.grouping import GroupLimits
from transforms.records.rejects import Step
from transforms.steps.write_tenant import Result, Settled, TenantWriter, first_seen


class Batch(NamedTuple):
    """A tenant's mutations that are written together. rows, size_bytes: what they come to; 0: not more than ordinary ones."""

    mutations: Sequence[Interpreted]
    rows: int = 0
    size_bytes: int = 0

    @property
    def least_rows(self) -> int:
        return max(self.rows, len(self.mutations))


Turn = list[tuple[str, Batch]]
# What a group that was out of time is written in.
_PARTS: Final = 4


class GroupWriter:
    """Writes turns, batches of different tenants; a single batch as `alone` does.

    groups: what the batches of one transaction may come to; None: each tenant has its own. pace: what a transaction may take.
    """

    def __init__(
        self, store: BatchStore, alone: TenantWriter, groups: GroupLimits | None = None, pace: BatchSizeLimits | None = None
    ) -> None:
        self._store = store
        self._alone = alone
        self._groups = groups
        self._pace = AdaptiveBatchSize(pace) if pace else None

    def share(self, client_id: str, batch: Batch) -> float:
        """The part of a transaction that the batch is; all of it for a tenant that is in quarantine, or failed of late."""
        if self._groups is None or self._alone.is_alone(client_id):
            return 1.0
        return self._groups.share(batch.least_rows, batch.size_bytes)

    def write(self, turn: Turn) -> Ended[Batch, Settled]:
        """Write the batches, several in one transaction; where that cannot be, they are to be written in smaller turns.

        Raises InfrastructureFault where it is the server that cannot be used.
        """
        if len(turn) == 1:
            client_id, batch = turn[0]
            return Ended([self._alone.write(client_id, batch.mutations)], [])
        done = [self._alone.left(client_id, batch.mutations) for client_id, batch in turn if self._alone.is_aside(client_id)]
        again: list[Turn] = []
        for part in self._parts([one for one in turn if not self._alone.is_aside(one[0])]):
            ended = self._write_group(part) if len(part) > 1 else self.write(part)
            done += ended.done
            again += ended.again
        return Ended(done, again)

    def _parts(self, turn: Turn) -> Iterator[Turn]:
        """The turn by the pace: fewer rows at once while the server is slow."""
        part: Turn = []
        held = 0
        for client_id, batch in turn:
            if part and self._pace and held + batch.least_rows > self._pace.rows:
                yield part
                part, held = [], 0
            part.append((client_id, batch))
            held += batch.least_rows
        if part:
            yield part

    def _write_group(self, turn: Turn) -> Ended[Batch, Settled]:
        began = time.perf_counter()
        try:
            written = self._store.write_group([_tenant_batch(*one) for one in turn])
        except NotTogether as apart:
            self._alone.keep_alone(apart.client_ids)
            rest = [one for one in turn if one[0] not in apart.client_ids]
            return Ended([], [*([rest] if rest else []), *([one] for one in turn if one[0] in apart.client_ids)])
        except TenantLocked:
            # Whose lock it is, a half would take as long to tell; the others need not wait for that.
            return Ended([], [[one] for one in turn])
        except TenantOutOfTime:
            # One tenant may be slow, or the server: of that, transactions of single tenants would be the end, a part is a cure of both.
            self._took(turn, time.perf_counter() - began)
            return Ended([], [turn[at::_PARTS] for at in range(min(_PARTS, len(turn)))])
        except (RowRefused, TenantFault, TooMany):
            middle = len(turn) // 2
            return Ended([], [turn[:middle], turn[middle:]])
        except InfrastructureFault:
            raise
        except Exception as error:  # noqa: BLE001 - the net: whoever it is of them, alone it harms no other
            unforeseen(error, Step.WRITE)
            return Ended([], [[one] for one in turn])
        seconds = time.perf_counter() - began
        self._took(turn, seconds)
        self._alone.written(client_id for client_id, _ in turn)
        done: list[Settled] = []
        ended_ms = int(time.time() * 1000)
        for (client_id, batch), one in zip(turn, written, strict=True):
            # One transaction, told once.
            took = () if done else (seconds,)
            results: list[Result] = list(zip(batch.mutations, one.outcomes, strict=True))
            done.append(Settled(client_id, results, one.rows, took, ended_ms=ended_ms, drift=one.drift, is_quiet=one.is_quiet))
        return Ended(done, [])

    def _took(self, turn: Turn, seconds: float) -> None:
        if self._pace:
            self._pace.took(sum(batch.least_rows for _, batch in turn), seconds)


def _tenant_batch(client_id: str, batch: Batch) -> TenantBatch:
    return TenantBatch(client_id, [one.mutation for one in batch.mutations], first_seen(batch.mutations))
