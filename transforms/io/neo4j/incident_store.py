"""Incidents in Neo4j: a tenant's neighbourhood is read, analysed and written in one transaction under the tenant's lock."""

from collections.abc import Collection
from typing import Any, Final

from transforms.io.neo4j.purge import Ask
from transforms.io.neo4j.session import GraphSession
from transforms.model import incident_cypher as statements
from transforms.model.graph import INCIDENT, TENANT_KEY
from transforms.planning.causes.graph_rows import IncidentRow, incident_rows
from transforms.planning.causes.incidents import OPEN, Analysed, Analysis, analyse
from transforms.planning.causes.neighbourhood import HARMLESS, TELLING, NeighbourhoodReader, Props, Since, read_neighbourhood

TIMEOUT_S: Final = 30.0


class Neo4jNeighbourhood:
    """Answers as `NeighbourhoodReader` does, within a transaction."""

    def __init__(self, ask: Ask, client_id: str) -> None:
        self._ask = ask
        self._client_id = client_id

    def _run(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        return self._ask(statement, **{TENANT_KEY: self._client_id}, **parameters)

    def newest(self) -> str:
        return max((row["ver"] for one in statements.NEWEST.values() for row in self._run(one) if row["ver"]), default="")

    def episodes(self, since: Since, most: int) -> list[Props]:
        given = {"harmless": list(HARMLESS), "telling": list(TELLING), "most": most}
        return [row["props"] for row in self._run(statements.READ_EPISODES, episodes=since.episodes, findings=since.findings, **given)]

    def ailing(self, most: int) -> list[str]:
        return [row["rid"] for row in self._run(statements.READ_AILING, most=most)]

    def spaces_on(self, nodes: Collection[str]) -> set[str]:
        return {row["ns"] for row in self._run(statements.READ_SPACES_ON, nodes=list(nodes)) if row["ns"]}

    def spaces_called(self, spaces: Collection[str]) -> set[str]:
        return {row["ns"] for row in self._run(statements.READ_SPACES_CALLED, spaces=list(spaces)) if row["ns"]}

    def resources(self, spaces: Collection[str], kinds: Collection[str], cluster_kinds: Collection[str], most: int) -> dict[str, Props]:
        given = {"spaces": list(spaces), "kinds": list(kinds), "cluster_kinds": list(cluster_kinds), "most": most}
        rows = self._run(statements.READ_RESOURCES, **given)
        return {row["props"]["rid"]: {name: value for name, value in row["props"].items() if value is not None} for row in rows}

    def edges(self, rids: Collection[str], types: Collection[str], most: int) -> list[tuple[str, str, str]]:
        rows = self._run(statements.READ_EDGES, rids=list(rids), types=list(types), most=most)
        return [(row["type"], row["source"], row["target"]) for row in rows]

    def targets_down(self) -> list[Props]:
        return [row["props"] for row in self._run(statements.READ_TARGETS_DOWN)]


class IncidentStore:
    """Analyses tenants and keeps their incidents; different tenants' from several threads at once."""

    def __init__(self, session: GraphSession) -> None:
        self._session = session

    def analyse(self, client_id: str) -> Analysed:
        """Bring the tenant's incidents up to what its graph holds; nothing for a tenant that is unknown or being purged.

        Raises TenantFault or RowRefused where the tenant is at fault, InfrastructureFault where the server cannot be used; then
        everything is as before.
        """

        def work(ask: Ask) -> Analysed:
            if not ask(statements.LOCK_ANALYSIS, **{TENANT_KEY: client_id}):
                return Analysed(0, 0)
            analysis = analyse(client_id, read_neighbourhood(Neo4jNeighbourhood(ask, client_id)))
            written = _write(ask, client_id, incident_rows(analysis))
            return Analysed(sum(one.state == OPEN for one in analysis.incidents), written)

        return self._session.transact_tenant(work, TIMEOUT_S)

    def look(self, client_id: str) -> Analysis:
        """The analysis of the tenant's graph as it is, of which nothing is written."""

        def work(ask: Ask) -> Analysis:
            return analyse(client_id, read_neighbourhood(Neo4jNeighbourhood(ask, client_id)))

        return self._session.transact_tenant(work, TIMEOUT_S)


def _write(ask: Ask, client_id: str, rows: list[IncidentRow]) -> int:
    """Write what differs from what is held; relationships only where an incident's are others."""
    tenant = {TENANT_KEY: client_id}
    held = {row["iid"]: row["hash"] for row in ask(statements.READ_HELD, **tenant)}
    gone = sorted(set(held) - {one.iid for one in rows})
    joined = [one for one in rows if held.get(one.iid) != one.hash]
    changed = sorted({*gone, *(one.iid for one in joined if one.iid in held)})
    if changed:
        ask(statements.UNJOIN, **tenant, iids=changed)
        ask(statements.UNJOIN_OWN, **tenant, iids=changed)
    if gone:
        ask(statements.DROP_INCIDENTS, **tenant, iids=gone)
    if rows:
        props = [{"iid": one.iid, "props": {**one.props, **tenant, INCIDENT.key: one.iid, "hash": one.hash}} for one in rows]
        ask(statements.PUT_INCIDENTS, **tenant, rows=props)
    if joined:
        part_of = [{"eid": eid, "iid": one.iid, "props": tenant} for one in joined for eid in one.part_of]
        affects = [{"rid": rid, "iid": one.iid, "props": {**tenant, "role": role}} for one in joined for rid, role in one.affects]
        links = [
            {"source": source, "target": target, "props": {**tenant, **given}} for one in joined for source, target, given in one.links
        ]
        ask(statements.JOIN_PART_OF, **tenant, rows=part_of)
        ask(statements.JOIN_AFFECTS, **tenant, rows=affects)
        ask(statements.JOIN_CAUSES, **tenant, rows=links)
    return len(rows) + len(gone)


_READER: type[NeighbourhoodReader] = Neo4jNeighbourhood
