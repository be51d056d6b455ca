"""An in-memory graph that passes the same contract suite as the real store; for tests and dry reasoning."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from transforms.io.neo4j.digest import GraphDigest
from transforms.io.neo4j.rows import stub_props, writes
from transforms.model.graph import (
    CAPPED_PROPERTIES,
    EMITS,
    EPISODIC,
    REFERRERS,
    REFERS,
    RESOURCE,
    RULE,
    SUBJECT_NAMED,
    SUBJECT_UID,
    VERSION_PROPERTIES,
)
from transforms.planning.facts.changes import Changes, Floors, Written
from transforms.planning.facts.mutations import Mutation, ReferrerKey
from transforms.planning.facts.stored import StoredReferrer
from transforms.planning.merge.plan import plan_batch
from transforms.planning.merge.tenant_graph import KnownGraph


class MemoryTenant(KnownGraph):
    """One tenant's graph; answers as `GraphReader` does and applies changes in the order of the real store."""

    def __init__(self, client_id: str) -> None:
        super().__init__()
        self.client_id = client_id
        self.floors = Floors()
        self.resources: dict[str, dict[str, Any]] = {}
        self.referrers_held: dict[ReferrerKey, dict[str, Any]] = {}
        self.references: dict[ReferrerKey, str] = {}
        self.emits: set[tuple[str, str]] = set()

    def node_props(self, rids: Collection[str]) -> dict[str, dict[str, Any]]:
        left_out = {*VERSION_PROPERTIES, *CAPPED_PROPERTIES}
        return {rid: {k: v for k, v in self.resources[rid].items() if k not in left_out} for rid in rids}

    def referrers(self, label: str, keys: Collection[str]) -> dict[str, StoredReferrer]:
        return {key: self._referrer(at) for key in keys if (at := ReferrerKey(label, key)) in self.referrers_held}

    def referrers_of_subjects(self, label: str, rids: Collection[str]) -> list[StoredReferrer]:
        return [self._referrer(at) for at, node in self.referrers_held.items() if at.label == label and node.get("subject") in rids]

    def referrers_of_uids(self, label: str, uids: Collection[str]) -> list[StoredReferrer]:
        return [self._referrer(at) for at, node in self.referrers_held.items() if at.label == label and node.get(SUBJECT_UID) in uids]

    def alerting(self, label: str, alerts: Collection[str]) -> list[tuple[str, str]]:
        return [(at.key, node["alert"]) for at, node in self.referrers_held.items() if at.label == label and node.get("alert") in alerts]

    def count_episodes(self, alerts: Collection[str]) -> dict[str, int]:
        return Counter(alert for _, alert in self.alerting(EPISODIC.label, alerts))

    def _referrer(self, at: ReferrerKey) -> StoredReferrer:
        node = self.referrers_held[at]
        more = (node.get("seen", b""), node.get("alert", ""), node.get(SUBJECT_NAMED, ""), node.get(SUBJECT_UID, ""))
        return StoredReferrer(at, node["ver"], node["hash"], node.get("subject", ""), at in self.references, *more)

    def write(self, changes: Changes) -> None:
        super().write(replace(changes, pruned=set()))
        for at, _ in changes.references_gone:
            self.references.pop(at, None)
        self._drop_emits(changes.emits_gone)
        self._drop_emits(changes.referrers_gone)
        for at in changes.referrers_gone:
            self.referrers_held.pop(at, None)
            self.references.pop(at, None)
        self._write_resources(changes)
        self._write_referrers(changes)
        gone = [rid for rid in changes.pruned if self.resources.get(rid, {}).get("stub") and not self._is_referred_to(rid)]
        for rid in gone:
            del self.resources[rid]
        self.prune(gone)

    def _write_resources(self, changes: Changes) -> None:
        for rid in changes.cleared:
            self.resources[rid] = stub_props(rid)
        self.resources |= {rid: dict(props) for rid, props in changes.nodes.items()}
        for rid, ver in changes.node_vers.items():
            self.resources[rid]["ver"] = ver
        for rid, known in changes.capped.items():
            self.resources[rid] = _set(self.resources[rid], {name: is_capped or None for name, is_capped in known.items()})
        for rid in changes.stubs:
            self.resources.setdefault(rid, stub_props(rid))

    def _write_referrers(self, changes: Changes) -> None:
        self.referrers_held |= {at: dict(props) for at, props in changes.referrers.items()}
        for at, counted in changes.referrer_counts.items():
            self.referrers_held[at] = _set(self.referrers_held[at], counted)
        for at, ver in changes.referrer_vers.items():
            self.referrers_held[at]["ver"] = ver
        self.references |= dict(changes.references)
        self.emits |= changes.emits
        for rule, alert in changes.raised.items():
            self.emits |= {(rule, episode) for episode, _ in self.alerting(EPISODIC.label, [alert])}

    def _drop_emits(self, gone: Collection[ReferrerKey]) -> None:
        rules = {at.key for at in gone if at.label == RULE.label}
        episodes = {at.key for at in gone if at.label == EPISODIC.label}
        self.emits = {(rule, episode) for rule, episode in self.emits if rule not in rules and episode not in episodes}

    def _is_referred_to(self, rid: str) -> bool:
        return bool(self.edges_at([rid])) or rid in self.references.values()

    def digest(self) -> GraphDigest:
        digest = GraphDigest()
        for rid, node in self.resources.items():
            if "stub" not in node or self._is_referred_to(rid):
                digest.add_node(RESOURCE, rid, node)
        for at, node in self.referrers_held.items():
            digest.add_node(REFERRERS[at.label], at.key, node)
        for triple in self.triples():
            digest.add_relationship(triple.type, RESOURCE.label, triple.source, RESOURCE.label, triple.target)
        for at, rid in self.references.items():
            digest.add_relationship(REFERS[at.label].type, at.label, at.key, RESOURCE.label, rid)
        for rule, episode in self.emits:
            digest.add_relationship(EMITS.type, RULE.label, rule, EPISODIC.label, episode)
        return digest


def _set(held: dict[str, Any], props: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**held, **props}.items() if value is not None}


class MemoryGraphStore:
    """Every tenant's graph in this process; the counterpart of the Neo4j store in the contract suite."""

    def __init__(self) -> None:
        self.tenants: dict[str, MemoryTenant] = {}

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None = None, part: float = 1.0) -> Written:
        tenant = self.tenants.setdefault(client_id, MemoryTenant(client_id))
        plan = plan_batch(tenant, client_id, mutations, tenant.floors)
        tenant.write(plan.changes)
        return Written(plan.outcomes, sum(len(one.values) for one in writes(client_id, plan.changes)), plan.drift)

    def digest(self, client_id: str) -> GraphDigest:
        return self.tenants[client_id].digest() if client_id in self.tenants else GraphDigest()
