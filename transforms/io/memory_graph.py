"""An in-memory graph that passes the same contract suite as the real store; for tests and dry reasoning."""

from collections.abc import Collection, Sequence
from typing import Any

from transforms.io.graph_digest import GraphDigest
from transforms.io.graph_rows import stub_props, writes
from transforms.model.graph import ABOUT, EPISODIC, RESOURCE, VERSION_PROPERTIES
from transforms.planning.changes import Changes, Written
from transforms.planning.known import KnownGraph
from transforms.planning.mutations import Mutation
from transforms.planning.plan import plan_batch
from transforms.planning.stored import StoredEpisode


class MemoryTenant(KnownGraph):
    """One tenant's graph; answers as `GraphReader` does and applies changes in the order of the real store."""

    def __init__(self, client_id: str) -> None:
        super().__init__()
        self.client_id = client_id
        self.floor = ""
        self.resources: dict[str, dict[str, Any]] = {}
        self.episodic: dict[str, dict[str, Any]] = {}
        self.about: dict[str, str] = {}

    def node_props(self, rids: Collection[str]) -> dict[str, dict[str, Any]]:
        return {rid: {k: v for k, v in self.resources[rid].items() if k not in VERSION_PROPERTIES} for rid in rids}

    def episodes(self, eids: Collection[str]) -> dict[str, StoredEpisode]:
        return {eid: self._episode(eid) for eid in eids if eid in self.episodic}

    def episodes_of_subjects(self, rids: Collection[str]) -> list[StoredEpisode]:
        return [self._episode(eid) for eid, node in self.episodic.items() if node.get("subject") in rids]

    def _episode(self, eid: str) -> StoredEpisode:
        node = self.episodic[eid]
        return StoredEpisode(eid, node["ver"], node["hash"], node.get("subject", ""), eid in self.about)

    def write(self, changes: Changes) -> None:
        super().write(changes)
        for eid, _ in changes.about_gone:
            self.about.pop(eid, None)
        for rid in changes.cleared:
            self.resources[rid] = stub_props(rid)
        self.resources |= {rid: dict(props) for rid, props in changes.nodes.items()}
        for rid, ver in changes.node_vers.items():
            self.resources[rid]["ver"] = ver
        for rid in changes.stubs:
            self.resources.setdefault(rid, stub_props(rid))
        self.episodic |= {eid: dict(props) for eid, props in changes.episodes.items()}
        for eid, ver in changes.episode_vers.items():
            self.episodic[eid]["ver"] = ver
        self.about |= dict(changes.about)
        for rid in changes.pruned:
            if self.resources.get(rid, {}).get("stub") and not self._is_referred_to(rid):
                del self.resources[rid]

    def _is_referred_to(self, rid: str) -> bool:
        return bool(self.edges_at([rid])) or rid in self.about.values()

    def digest(self) -> GraphDigest:
        digest = GraphDigest()
        for rid, node in self.resources.items():
            if "stub" not in node or self._is_referred_to(rid):
                digest.add_node(RESOURCE, rid, node)
        for eid, node in self.episodic.items():
            digest.add_node(EPISODIC, eid, node)
        for triple in self.triples():
            digest.add_relationship(triple.type, RESOURCE.label, triple.source, RESOURCE.label, triple.target)
        for eid, rid in self.about.items():
            digest.add_relationship(ABOUT.type, EPISODIC.label, eid, RESOURCE.label, rid)
        return digest


class MemoryGraphStore:
    """Every tenant's graph in this process; the counterpart of the Neo4j store in the contract suite."""

    def __init__(self) -> None:
        self.tenants: dict[str, MemoryTenant] = {}

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int, last_seen: int) -> Written:
        tenant = self.tenants.setdefault(client_id, MemoryTenant(client_id))
        plan = plan_batch(tenant, client_id, mutations, tenant.floor)
        tenant.write(plan.changes)
        return Written(plan.outcomes, sum(len(one.values) for one in writes(client_id, plan.changes)))

    def digest(self, client_id: str) -> GraphDigest:
        return self.tenants[client_id].digest() if client_id in self.tenants else GraphDigest()
