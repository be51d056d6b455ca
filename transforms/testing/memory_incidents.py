"""Reads of a tenant's graph in memory for the search for causes; the counterpart of `io/neo4j/incident_reader.py`."""

from collections.abc import Collection, Iterable, Mapping

from transforms.model.graph import AILING, CALLS, EPISODIC, PROM_TARGET, RUNS_ON
from transforms.model.incident_cypher import BEGINNING, ENDING
from transforms.model.limits import READ_MESSAGE_CHARACTERS, READ_STATUS_CHARACTERS
from transforms.planning.causes.graph_rows import counted, incident_rows
from transforms.planning.causes.incidents import Analysed, analyse
from transforms.planning.causes.neighbourhood import (
    FINDING,
    Props,
    Since,
    counts,
    read_neighbourhood,
)
from transforms.testing.memory_graph import MemoryGraphStore, MemoryTenant


class MemoryNeighbourhood:
    """Answers as `NeighbourhoodReader` does."""

    def __init__(self, tenant: MemoryTenant) -> None:
        self._tenant = tenant

    def newest(self) -> str:
        nodes = (*self._tenant.resources.values(), *self._tenant.referrers_held.values())
        versions = [str(one["ver"]) for one in nodes if one.get("ver")]
        return max((*versions, *(one.ver for one in self._tenant.all_tombstones())), default="")

    def episodes(self, since: Since, most: int) -> list[Props]:
        held = ({**node, "eid": at.key} for at, node in self._tenant.referrers_held.items() if at.label == EPISODIC.label)
        found = [one for one in held if _is_recent(one, since)]
        found.sort(key=lambda one: str(one["eid"]))
        found.sort(key=lambda one: str(one["ver"]), reverse=True)
        return [{**one, "message": str(one.get("message") or "")[:READ_MESSAGE_CHARACTERS]} for one in found[:most]]

    def ailing(self, most: int) -> list[str]:
        return sorted(rid for rid, node in self._tenant.resources.items() if node.get(AILING))[:most]

    def spaces_on(self, nodes: Collection[str]) -> set[str]:
        return {source.split(":", 2)[1] for kind, source, target in self._tenant.triples() if kind == RUNS_ON.type and target in nodes}

    def spaces_called(self, spaces: Collection[str]) -> set[str]:
        calls = ((source, target) for kind, source, target in self._tenant.triples() if kind == CALLS.type)
        return {target.split(":", 2)[1] for source, target in calls if source.split(":", 2)[1] in spaces}

    def resources(self, spaces: Collection[str], ranks: Mapping[str, int], cluster_kinds: Collection[str], most: int) -> dict[str, Props]:
        found = [
            (0 if node.get(AILING) else ranks[str(node["kind"])], rid)
            for rid, node in self._tenant.resources.items()
            if node["kind"] in ranks and (node.get("ns") in spaces or node["kind"] in cluster_kinds)
        ]
        return {rid: _readable(self._tenant.resources[rid]) for _, rid in sorted(found)[:most]}

    def edges(self, rids: Collection[str], most: int) -> list[tuple[str, str, str]]:
        known = frozenset(rids)
        near = (
            one
            for one in self._tenant.triples()
            if (one.source in known and one.type in BEGINNING) or (one.target in known and one.type in ENDING)
        )
        return sorted({(one.type, one.source, one.target) for one in near})[:most]

    def targets_down(self) -> list[Props]:
        held = ((at, node) for at, node in self._tenant.referrers_held.items() if at.label == PROM_TARGET.label)
        found = [{**node, PROM_TARGET.key: at.key} for at, node in held if node.get("health") == "down"]
        return sorted(found, key=lambda one: str(one[PROM_TARGET.key]))


class MemoryIncidents:
    """Analyses tenants of a store in memory; the counterpart of `io/neo4j/incident_store.py`."""

    def __init__(self, store: MemoryGraphStore) -> None:
        self._store = store

    def analyse(self, client_ids: Iterable[str]) -> dict[str, Analysed | Exception]:
        return {client_id: self._analyse(client_id) for client_id in sorted(set(client_ids))}

    def restless(self) -> list[str]:
        return sorted(client_id for client_id, tenant in self._store.tenants.items() if not tenant.is_quiet)

    def _analyse(self, client_id: str) -> Analysed:
        tenant = self._store.tenants.get(client_id)
        if tenant is None:
            return Analysed(0, 0)
        analysis = analyse(client_id, read_neighbourhood(MemoryNeighbourhood(tenant)))
        held = tenant.incidents
        tenant.incidents = {one.iid: one for one in incident_rows(analysis)}
        tenant.is_quiet = not tenant.incidents and not analysis.world.objects
        changed = sum(held.get(iid) != one for iid, one in tenant.incidents.items()) + len(held.keys() - tenant.incidents.keys())
        return counted(analysis)._replace(rows=changed)


def _readable(node: Props) -> Props:
    return {**node, "status": None} if len(str(node.get("status") or "")) > READ_STATUS_CHARACTERS else node


def _is_recent(one: Props, since: Since) -> bool:
    return str(one["ver"]) > (since.findings if one["etype"] == FINDING else since.episodes) and counts(one)
