"""The graph as pages read it: read transactions alone, each with a limit of time and of rows."""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Final

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j.target import Neo4jTarget
from transforms.model import reading
from transforms.model.graph import PROM_TARGET, RULE, TENANT_KEY
from transforms.model.kinds import KIND_OF_TOKEN
from transforms.planning.views.search_text import search_text
from transforms.planning.views.source import Brief, Counted, Edge, EdgesAt, Hit, Listed, Placed, Props, Tenant
from transforms.records.outcomes import NO_TENANT

MOST_ROWS: Final = 60_000
_MOST_TENANTS: Final = 10_000
_MOST_OWNERS: Final = 20
# Of what the index finds, so much is looked at: enough for the first page whatever comes before it.
_SCANNED: Final = 1_000
_KINDS_OF_REFERRERS: Final = frozenset({PROM_TARGET.label, RULE.label})
_NO_INDEX: Final = "Neo.ClientError.Procedure.ProcedureCallFailed"


class SearchMissing(InfrastructureFault):
    """The graph has no full-text index yet."""


class Neo4jGraphSource:
    """Answers as `GraphSource` says; close it with the owner. Used from several threads at once.

    within_s: after which the server ends a transaction. Every fault of the server's is an InfrastructureFault.
    """

    def __init__(self, target: Neo4jTarget, within_s: float = 10.0) -> None:
        self._target = target
        self._within_s = within_s
        self._driver = target.open(within_s)

    def close(self) -> None:
        self._driver.close()

    def warm(self) -> None:
        """Let the server plan every statement before somebody waits for it; what fails now is told when it is asked again."""
        nobody, key = NO_TENANT, "-"
        asks: tuple[Callable[[], object], ...] = (
            lambda: self.fleet((), 1),
            lambda: self.tenant(nobody),
            lambda: self.incidents(nobody, is_open=True, root=None, most=1),
            lambda: self.census(nobody),
            lambda: self.of_kinds(nobody, ("Node",), 1),
            lambda: self.bare_pods(nobody, 1),
            lambda: self.sick(nobody, 1),
            lambda: self.episodes(nobody, 1),
            lambda: self.happened(nobody, 1),
            lambda: self.object(nobody, key),
            lambda: self.edges_at(nobody, [key], ["RUNS_ON"], 1),
            lambda: self.owners(nobody, key),
            lambda: self.incidents_of(nobody, key, 1),
            lambda: self.episodes_about(nobody, [key], 1),
            lambda: self.objects(nobody, None, 1),
            lambda: self.edges_between(nobody, [key], 1),
            lambda: self.search(frozenset({nobody}), ["--"], 1),
        )
        for ask in asks:
            with suppress(InfrastructureFault):
                ask()

    def _ask(self, statement: str, most: int, **parameters: Any) -> list[dict[str, Any]]:
        most = min(most, MOST_ROWS)

        def work(tx: neo4j.ManagedTransaction) -> list[dict[str, Any]]:
            return [row.data() for row in tx.run(statement, {**parameters, "most": most}).fetch(most)]

        try:
            with self._driver.session(database=self._target.database, default_access_mode=neo4j.READ_ACCESS) as session:
                return session.execute_read(neo4j.unit_of_work(timeout=self._within_s)(work))
        except (Neo4jError, DriverError) as error:
            raise self._target.fault(error) from error

    def _of(self, client_id: str, statement: str, most: int, **parameters: Any) -> list[dict[str, Any]]:
        return self._ask(statement, most, **{TENANT_KEY: client_id}, **parameters)

    def fleet(self, client_ids: Collection[str] | None, most: int) -> list[Tenant]:
        wanted = None if client_ids is None else sorted(client_ids)
        return [_tenant(row) for row in self._ask(reading.FLEET, most, client_ids=wanted)]

    def tenant(self, client_id: str) -> Tenant | None:
        rows = self._of(client_id, reading.CLUSTER_OF, 1)
        return _tenant(rows[0]) if rows else None

    def happened(self, client_id: str, most: int) -> list[Props]:
        return _props(self._of(client_id, reading.HAPPENED, most))

    def census(self, client_id: str) -> list[Counted]:
        rows = self._of(client_id, reading.CENSUS, MOST_ROWS)
        return [Counted(row["ns"] or "", row["kind"] or "", row["stub"], row["sick"], row["number"]) for row in rows]

    def objects(self, client_id: str, namespaces: Collection[str] | None, most: int) -> list[Placed]:
        wanted = None if namespaces is None else sorted(namespaces)
        rows = self._of(client_id, reading.OBJECTS, most, namespaces=wanted)
        return [Placed(_brief(row["object"]), tuple(sorted(row["owners"])), tuple(sorted(row["nodes"]))) for row in rows]

    def of_kinds(self, client_id: str, kinds: Collection[str], most: int) -> list[Listed]:
        prefixes = sorted(f"{kind.lower()}:" for kind in kinds if kind.lower() in KIND_OF_TOKEN)
        return [_listed(row) for row in self._of(client_id, reading.OBJECTS_OF_KINDS, most, prefixes=prefixes)]

    def bare_pods(self, client_id: str, most: int) -> list[Brief]:
        return _briefs(self._of(client_id, reading.BARE_PODS, most))

    def sick(self, client_id: str, most: int) -> list[Brief]:
        return _briefs(self._of(client_id, reading.SICK, most))

    def object(self, client_id: str, rid: str) -> tuple[Brief, Props] | None:
        rows = self._of(client_id, reading.OBJECT, 1, rid=rid)
        return (_brief(rows[0]["object"]), rows[0]["props"]) if rows else None

    def briefs(self, client_id: str, rids: Collection[str]) -> list[Brief]:
        return _briefs(self._of(client_id, reading.BRIEFS, len(rids), rids=sorted(rids))) if rids else []

    def edges_at(self, client_id: str, rids: Collection[str], types: Collection[str], each: int) -> list[EdgesAt]:
        if not rids or not types:
            return []
        rows = self._of(client_id, reading.EDGES_AT, MOST_ROWS, rids=sorted(rids), types=sorted(types), each=each)
        return [EdgesAt(row["rid"], row["type"], row["outgoing"], tuple(map(_brief, row["others"])), row["number"]) for row in rows]

    def edges_between(self, client_id: str, rids: Collection[str], most: int) -> list[Edge]:
        return [Edge(**row) for row in self._of(client_id, reading.EDGES_BETWEEN, most, rids=sorted(rids))] if rids else []

    def owners(self, client_id: str, rid: str) -> list[Brief]:
        return _briefs(self._of(client_id, reading.OWNERS, _MOST_OWNERS, rid=rid))

    def members_of_namespace(self, client_id: str, ns: str, most: int) -> list[Brief]:
        return _briefs(self._of(client_id, reading.MEMBERS_OF_NAMESPACE, most, ns=ns))

    def episodes(self, client_id: str, most: int) -> list[Props]:
        return _props(self._of(client_id, reading.EPISODES, most))

    def episodes_about(self, client_id: str, rids: Collection[str], most: int) -> list[Props]:
        return _props(self._of(client_id, reading.EPISODES_ABOUT, most, rids=sorted(rids)))

    def referrers_of(self, client_id: str, label: str, rid: str, most: int) -> list[Props]:
        assert label in _KINDS_OF_REFERRERS
        return _props(self._of(client_id, reading.REFERRERS_OF[label], most, rid=rid))

    def incidents(self, client_id: str, *, is_open: bool | None, root: str | None, most: int) -> list[Props]:
        return _props(self._of(client_id, reading.INCIDENTS, most, open=is_open, root=root))

    def incident(self, client_id: str, iid: str) -> Props | None:
        return next(iter(_props(self._of(client_id, reading.INCIDENT_BY_ID, 1, iid=iid))), None)

    def affected(self, client_id: str, iid: str, most: int) -> list[tuple[str, Brief]]:
        return [(row["role"] or "", _brief(row["object"])) for row in self._of(client_id, reading.AFFECTED, most, iid=iid)]

    def episodes_of_incident(self, client_id: str, iid: str, most: int) -> list[Props]:
        return _props(self._of(client_id, reading.EPISODES_OF_INCIDENT, most, iid=iid))

    def causes_of_incident(self, client_id: str, iid: str, most: int) -> list[tuple[Props, str, str]]:
        rows = self._of(client_id, reading.CAUSES_OF_INCIDENT, most, iid=iid)
        return [(plain(row["props"]), row["source"] or "", row["target"] or "") for row in rows]

    def incidents_of(self, client_id: str, rid: str, most: int) -> list[tuple[Props, str]]:
        return [(plain(row["props"]), row["role"] or "") for row in self._of(client_id, reading.INCIDENTS_OF_OBJECT, most, rid=rid)]

    def search(self, client_ids: Collection[str] | None, words: Collection[str], most: int) -> list[Hit]:
        if not words or client_ids == ():
            return []
        wanted = None if client_ids is None else sorted(client_ids)
        text = search_text(client_ids, words)
        try:
            rows = self._ask(reading.SEARCH, most, client_ids=wanted, text=text, scanned=_SCANNED)
        except InfrastructureFault as fault:
            if getattr(fault.__cause__, "code", "") != _NO_INDEX:
                raise
            raise SearchMissing(
                "The graph has no index to search; run the job of this version once, or the command ENSURE_SCHEMA, which makes it."
            ) from fault
        return [Hit(row[TENANT_KEY], _brief(row["object"]), _texts(row)) for row in rows]


def _tenant(row: dict[str, Any]) -> Tenant:
    props = plain(row["props"])
    return Tenant(props[TENANT_KEY], props, row["now_ms"], row.get("objects") or 0, row.get("incidents") or 0)


def _brief(row: dict[str, Any]) -> Brief:
    return Brief(row["rid"], row["kind"] or "", row["ns"] or "", row["name"] or "", row["stub"], row["ails"])


def _briefs(rows: list[dict[str, Any]]) -> list[Brief]:
    return [_brief(row["object"]) for row in rows]


def _props(rows: list[dict[str, Any]]) -> list[Props]:
    return [plain(row["props"]) for row in rows]


def plain(props: dict[str, Any]) -> Props:
    """Properties without the driver's own types."""
    return {name: value.to_native() if hasattr(value, "to_native") else value for name, value in props.items()}


def _listed(row: dict[str, Any]) -> Listed:
    wanted = row["desired"] if row["desired"] is not None else row["replicas"]
    ready = row["number_ready"] if row["number_ready"] is not None else row["ready"]
    return Listed(_brief(row["object"]), wanted, ready, row["owned"], row["runs"], row["image"] or "")


def _texts(row: dict[str, Any]) -> tuple[str, ...]:
    single = [row[name] for name in ("image", "pod_ip", "uid") if row[name]]
    return (*(row["labels"] or ()), *single, *(row["service_ips"] or ()))
