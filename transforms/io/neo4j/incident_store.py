"""Incidents in Neo4j: tenants' neighbourhoods are read together, analysed, and what differs is written together under their locks.

Nobody's lock is held while a tenant is read and analysed, and none is taken where nothing differs. What was read holds if the tenant's
count of writes is still the same under the lock; where it is not, the tenant is analysed once more, alone and under its lock.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

import neo4j

from transforms.io.neo4j.errors import RowRefused, TenantFault
from transforms.io.neo4j.incident_reader import AnalysisTransaction, Head
from transforms.io.neo4j.incident_writer import held_incidents, write_incidents
from transforms.io.neo4j.session import GraphSession
from transforms.model import incident_cypher as statements
from transforms.model.graph import TENANT_KEY
from transforms.planning.causes.graph_rows import IncidentRow, counted, incident_rows
from transforms.planning.causes.incidents import Analysed, Analysis, analyse
from transforms.planning.causes.neighbourhood import NeighbourhoodReader, read_neighbourhood

# Tenants that are looked at together, and what of them is held in memory at once.
MOST_TENANTS: Final = 100
MOST_ROWS: Final = 20_000
# Tenants whose locks one transaction holds while it writes their incidents, or only that there are none.
MOST_LOCKED: Final = 5
MOST_LOCKED_QUIET: Final = 50
TIMEOUT_S: Final = 30.0

Outcomes = dict[str, Analysed | Exception]
T = TypeVar("T")


class Found(NamedTuple):
    """What an analysis came to, to be written. is_empty: there was nothing to begin at. differs: from what the graph holds."""

    analysed: Analysed
    rows: list[IncidentRow]
    is_empty: bool
    differs: bool = True


class IncidentStore:
    """Analyses tenants and keeps their incidents; different tenants' from several threads at once."""

    def __init__(self, session: GraphSession) -> None:
        self._session = session
        self._limits = session.limits._replace(transaction_s=TIMEOUT_S)

    def analyse(self, client_ids: Iterable[str]) -> Outcomes:
        """Bring the tenants' incidents up to what their graphs hold; what each came to, or what it failed with.

        Nothing comes of a tenant that is unknown or being purged. Of one that failed, everything is as before. Raises InfrastructureFault
        where the server cannot be used.
        """
        found: Outcomes = {}
        for group in _batched(sorted(set(client_ids)), MOST_TENANTS):
            found |= self._of_group(group)
        return found

    def restless(self) -> list[str]:
        """The tenants that are not known to be quiet, sorted. Raises InfrastructureFault where the server cannot be used."""

        def work(tx: neo4j.ManagedTransaction) -> list[str]:
            return [row[TENANT_KEY] for row in tx.run(statements.READ_RESTLESS)]

        return self._session.transact_tenants(work, self._limits)

    def look(self, client_id: str) -> Analysis:
        """The analysis of the tenant's graph as it is, of which nothing is written."""

        def work(tx: neo4j.ManagedTransaction) -> Analysis:
            transaction = AnalysisTransaction(tx)
            heads = transaction.heads([client_id]) or {client_id: Head(0, "", 0)}
            return _sound(transaction.read(heads, _analysis)[client_id])

        return self._session.transact_tenants(work, self._limits)

    def _of_group(self, client_ids: Sequence[str]) -> Outcomes:
        try:
            heads = self._session.transact_tenants(lambda tx: AnalysisTransaction(tx).heads(client_ids), self._limits)
        except (TenantFault, RowRefused):
            return {one: self._alone(one) for one in client_ids}
        found: Outcomes = {one: Analysed(0, 0) for one in client_ids if one not in heads}
        for part in _parts(heads):
            found |= self._together(part)
        return found

    def _together(self, heads: Mapping[str, Head]) -> Outcomes:
        """Read and analyse without a lock, then write what differs under a few locks at a time.

        Who could not be read or written with others, or was written meanwhile, is analysed alone.
        """
        try:
            found = self._session.transact_tenants(lambda tx: _read(tx, heads), self._limits)
        except (TenantFault, RowRefused):
            return {one: self._alone(one) for one in heads}
        done: Outcomes = {}
        loud, quiet = {}, {}
        for one, held in found.items():
            if isinstance(held, Exception):
                done[one] = held
            elif held.differs:
                loud[one] = held
            elif held.is_empty:
                quiet[one] = held
            else:
                done[one] = held.analysed
        for differing, most in ((loud, MOST_LOCKED), (quiet, MOST_LOCKED_QUIET)):
            for group in _batched(sorted(differing), most):
                done |= self._written(heads, {one: differing[one] for one in group})
        return done

    def _written(self, heads: Mapping[str, Head], found: Mapping[str, Found]) -> Outcomes:
        try:
            rows = self._session.transact_tenants(lambda tx: _write(tx, heads, found), self._limits.of_group(len(found)))
        except (TenantFault, RowRefused):
            rows = {}
        return {one: held.analysed._replace(rows=rows[one]) if one in rows else self._alone(one) for one, held in found.items()}

    def _alone(self, client_id: str) -> Analysed | Exception:
        """One tenant, under its lock from the beginning."""

        def work(tx: neo4j.ManagedTransaction) -> Analysed:
            transaction = AnalysisTransaction(tx)
            if not transaction.run(statements.LOCK_ANALYSIS, [{TENANT_KEY: client_id}]):
                return Analysed(0, 0)
            heads = transaction.heads([client_id])
            found = _sound(transaction.read(heads, _found)[client_id])
            return found.analysed._replace(rows=_write(tx, heads, {client_id: found})[client_id])

        try:
            return self._session.transact_tenants(work, self._limits)
        except (TenantFault, RowRefused) as error:
            return error


def _analysis(client_id: str, reader: NeighbourhoodReader) -> Analysis:
    return analyse(client_id, read_neighbourhood(reader))


def _found(client_id: str, reader: NeighbourhoodReader) -> Found:
    analysis = _analysis(client_id, reader)
    return Found(counted(analysis), incident_rows(analysis), not analysis.world.objects and not analysis.world.episodes)


def _read(tx: neo4j.ManagedTransaction, heads: Mapping[str, Head]) -> dict[str, Found | Exception]:
    """What the analysis of each tenant comes to; nothing is read of those in which nothing ails and nothing happened."""
    transaction = AnalysisTransaction(tx)
    found: dict[str, Found | Exception] = {one: Found(Analysed(0, 0), [], is_empty=True) for one in heads}
    found |= transaction.read({one: head for one, head in heads.items() if head.size}, _found)
    held = held_incidents(transaction, [one for one, made in found.items() if isinstance(made, Found)])
    for one, known in held.items():
        made = found[one]
        if isinstance(made, Found):
            found[one] = made._replace(differs=known != {row.iid: row.hash for row in made.rows})
    return found


def _write(tx: neo4j.ManagedTransaction, heads: Mapping[str, Head], found: Mapping[str, Found]) -> dict[str, int]:
    """Write of each tenant what differs, if it is still as it was read; the number of rows by tenant that was."""
    transaction = AnalysisTransaction(tx)
    locked = transaction.run(statements.LOCK_ANALYSIS, [{TENANT_KEY: one} for one in sorted(found)])
    same = [row[TENANT_KEY] for row in locked if row["writes"] == heads[row[TENANT_KEY]].writes]
    rows = write_incidents(transaction, {one: found[one].rows for one in same})
    transaction.run(statements.SET_QUIET, [{TENANT_KEY: one} for one in same if found[one].is_empty])
    return rows


def _parts(heads: Mapping[str, Head]) -> Iterator[dict[str, Head]]:
    """Tenants that are read together."""
    part: dict[str, Head] = {}
    rows = 0
    for client_id, head in sorted(heads.items()):
        if part and rows + head.size > MOST_ROWS:
            yield part
            part, rows = {}, 0
        part[client_id] = head
        rows += head.size
    if part:
        yield part


def _sound(found: T | Exception) -> T:
    if isinstance(found, Exception):
        raise found
    return found


def _batched(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (names[at : at + size] for at in range(0, len(names), size))
