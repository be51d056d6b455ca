"""Writes tenants' incidents: of each what differs from what is held, of all together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from transforms.io.neo4j.incident_reader import AnalysisTransaction
from transforms.model import incident_cypher as statements
from transforms.model.graph import INCIDENT, TENANT_KEY
from transforms.planning.causes.graph_rows import IncidentRow

Row = dict[str, Any]
# Rows of one statement.
_MOST: Final = 5000


def write_incidents(transaction: AnalysisTransaction, found: Mapping[str, Sequence[IncidentRow]]) -> dict[str, int]:
    """Make the incidents of the tenants these; the number of incidents written or taken away, by tenant."""
    held = held_incidents(transaction, found)
    rows: dict[str, list[Row]] = {statement: [] for statement in _ORDER}
    numbers = {}
    for client_id, known in held.items():
        changed = [one for one in found[client_id] if known.get(one.iid) != one.hash]
        gone = sorted(set(known) - {one.iid for one in found[client_id]})
        for statement, row in _rows(known, changed, gone):
            rows[statement].append({TENANT_KEY: client_id, **row})
        numbers[client_id] = len(changed) + len(gone)
    for statement, of_all in rows.items():
        for at in range(0, len(of_all), _MOST):
            transaction.run(statement, of_all[at : at + _MOST])
    return numbers


def held_incidents(transaction: AnalysisTransaction, client_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """The incidents that the graph holds of each tenant: their hashes by id."""
    held: dict[str, dict[str, str]] = {client_id: {} for client_id in sorted(client_ids)}
    for one in transaction.run(statements.READ_HELD, [{TENANT_KEY: client_id} for client_id in held]):
        held[one[TENANT_KEY]][one["iid"]] = one["hash"]
    return held


_ORDER: Final = (
    statements.UNJOIN,
    statements.UNJOIN_OWN,
    statements.DROP_INCIDENTS,
    statements.PUT_INCIDENTS,
    statements.JOIN_PART_OF,
    statements.JOIN_AFFECTS,
    statements.JOIN_CAUSES,
)


def _rows(known: Mapping[str, str], changed: Sequence[IncidentRow], gone: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """What is written of one tenant; relationships only of incidents of which they are others."""
    joined = [one for one in changed if not one.joins_as(known.get(one.iid))]
    for iid in sorted({*gone, *(one.iid for one in joined if one.iid in known)}):
        yield statements.UNJOIN, {"iid": iid}
        yield statements.UNJOIN_OWN, {"iid": iid}
    yield from ((statements.DROP_INCIDENTS, {"iid": iid}) for iid in gone)
    for one in changed:
        yield statements.PUT_INCIDENTS, {"iid": one.iid, "props": {**one.props, INCIDENT.key: one.iid, "hash": one.hash}}
    for one in joined:
        yield from ((statements.JOIN_PART_OF, {"eid": eid, "iid": one.iid, "severity": raised}) for eid, raised in one.part_of)
        yield from ((statements.JOIN_AFFECTS, {"rid": rid, "iid": one.iid, "role": role}) for rid, role in one.affects)
        for source, target, props in one.links:
            yield statements.JOIN_CAUSES, {"source": source, "target": target, "props": props}
