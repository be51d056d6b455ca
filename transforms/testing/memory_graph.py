"""An in-memory graph that passes the same contract suite as the real store; for tests and dry reasoning."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from transforms.io.neo4j.digest import GraphDigest
from transforms.io.neo4j.errors import NotTogether
from transforms.io.neo4j.rows import stub_props, writes
from transforms.model.graph import (
    AFFECTS,
    CAPPED_PROPERTIES,
    EMITS,
    EPISODIC,
    INCIDENT,
    PART_OF,
    POTENTIAL_CAUSE,
    REFERRERS,
    REFERS,
    RESOURCE,
    RULE,
    SUBJECT_NAMED,
    SUBJECT_UID,
    VERSION_PROPERTIES,
)
from transforms.model.limits import MOST_GROUP_ROWS
from transforms.planning.causes.graph_rows import IncidentRow
from transforms.planning.causes.neighbourhood import wakes
from transforms.planning.facts.changes import Changes, Floors, Plan, TenantBatch, TooMany, Written
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
        self.incidents: dict[str, IncidentRow] = {}
        self.is_quiet = False

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
        for one in self.incidents.values():
            self._add_incident(digest, one)
        for rule, episode in self.emits:
            digest.add_relationship(EMITS.type, RULE.label, rule, EPISODIC.label, episode)
        return digest

    def _add_incident(self, digest: GraphDigest, one: IncidentRow) -> None:
        """An incident with what joins it to what is still there."""
        episodes = {at.key for at in self.referrers_held if at.label == EPISODIC.label}
        digest.add_node(INCIDENT, one.iid, {**one.props, "hash": one.hash})
        for eid in episodes.intersection(eid for eid, _ in one.part_of):
            digest.add_relationship(PART_OF.type, EPISODIC.label, eid, INCIDENT.label, one.iid)
        for rid, _role in one.affects:
            if rid in self.resources:
                digest.add_relationship(AFFECTS.type, INCIDENT.label, one.iid, RESOURCE.label, rid)
        for source, target, _props in one.links:
            if {source, target} <= episodes:
                digest.add_relationship(POTENTIAL_CAUSE.type, EPISODIC.label, source, EPISODIC.label, target)


def _set(held: dict[str, Any], props: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**held, **props}.items() if value is not None}


class MemoryGraphStore:
    """Every tenant's graph in this process; the counterpart of the Neo4j store in the contract suite."""

    def __init__(self) -> None:
        self.tenants: dict[str, MemoryTenant] = {}

    def write_batch(self, client_id: str, mutations: Sequence[Mutation], first_seen: int | None = None, part: float = 1.0) -> Written:
        return self.write_group([TenantBatch(client_id, mutations, first_seen)])[0]

    def write_group(self, batches: Sequence[TenantBatch]) -> list[Written]:
        """Plan all, then write all: nothing is written where one cannot be planned."""
        # A tenant of referrers alone counts as empty, and is none the less there.
        tenants = {one.client_id: self.tenants.get(one.client_id, MemoryTenant(one.client_id)) for one in batches}
        plans: dict[str, Plan] = {}
        failed: dict[str, Exception] = {}
        for one in batches:
            tenant = tenants[one.client_id]
            try:
                plans[one.client_id] = plan_batch(tenant, one.client_id, one.mutations, tenant.floors)
            except TooMany as error:
                failed[one.client_id] = error
        if failed:
            cause = next(iter(failed.values()))
            if len(batches) == 1:
                raise cause
            raise NotTogether(frozenset(failed)) from cause
        if len(plans) > 1 and (rows := sum(plan.changes.size for plan in plans.values())) > MOST_GROUP_ROWS:
            raise TooMany(rows)
        numbers = {client_id: sum(len(one.rows) for one in writes(client_id, plan.changes)) for client_id, plan in plans.items()}
        for client_id, plan in plans.items():
            tenants[client_id].write(plan.changes)
            tenants[client_id].is_quiet = tenants[client_id].is_quiet and not wakes(plan.changes)
        self.tenants |= tenants
        of = [(one.client_id, plans[one.client_id]) for one in batches]
        return [Written(plan.outcomes, numbers[client_id], plan.drift, tenants[client_id].is_quiet) for client_id, plan in of]

    def digest(self, client_id: str) -> GraphDigest:
        return self.tenants[client_id].digest() if client_id in self.tenants else GraphDigest()
