"""A graph in this process that pages read as they read the real one; it passes the same contract tests."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from transforms.model.graph import TENANT_KEY
from transforms.model.health import ailment_of
from transforms.model.kinds import KIND_OF_TOKEN
from transforms.planning.views.search_text import BEGINNINGS, SEARCHED
from transforms.planning.views.source import Brief, Counted, Edge, EdgesAt, Hit, Listed, Placed, Props, Tenant

_MOST_HOPS = 6


@dataclass
class ViewedTenant:
    """One tenant's graph as plain data; properties by key, `referrers` by label."""

    cluster: Props
    resources: dict[str, Props] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    episodes: list[Props] = field(default_factory=list)
    happened: list[Props] = field(default_factory=list)
    referrers: dict[str, list[Props]] = field(default_factory=dict)
    incidents: list[Props] = field(default_factory=list)
    affects: list[tuple[str, str, str]] = field(default_factory=list)
    part_of: list[tuple[str, str]] = field(default_factory=list)
    causes: list[tuple[Props, str, str]] = field(default_factory=list)

    def brief(self, rid: str) -> Brief:
        props = self.resources[rid]
        kind, ns, name = (str(props.get(one) or "") for one in ("kind", "ns", "name"))
        return Brief(rid, kind, ns, name, bool(props.get("stub")), ailment_of(props))


class MemoryGraphSource:
    """Answers as `GraphSource` says, of what it was given."""

    def __init__(self, tenants: Iterable[ViewedTenant], now_ms: int) -> None:
        self._tenants = {one.cluster[TENANT_KEY]: one for one in tenants}
        self._now_ms = now_ms

    def close(self) -> None:
        pass

    def _of(self, client_id: str) -> ViewedTenant:
        return self._tenants.get(client_id) or ViewedTenant({TENANT_KEY: client_id})

    def fleet(self, client_ids: Collection[str] | None, most: int) -> list[Tenant]:
        seen = [one for name, one in sorted(self._tenants.items()) if client_ids is None or name in client_ids]
        return [self._tenant(one)._replace(objects=len(one.resources), incidents=_open(one)) for one in seen[:most]]

    def _tenant(self, one: ViewedTenant) -> Tenant:
        return Tenant(one.cluster[TENANT_KEY], one.cluster, self._now_ms)

    def tenant(self, client_id: str) -> Tenant | None:
        return self._tenant(self._tenants[client_id]) if client_id in self._tenants else None

    def happened(self, client_id: str, most: int) -> list[Props]:
        return sorted(self._of(client_id).happened, key=lambda one: (one["at_ms"], one["eid"]), reverse=True)[:most]

    def census(self, client_id: str) -> list[Counted]:
        of = self._of(client_id)
        briefs = [of.brief(rid) for rid in of.resources]
        counts = Counter((one.ns, one.kind, one.stub, one.ails is not None) for one in briefs)
        return [Counted(*shared, number) for shared, number in sorted(counts.items())]

    def _briefs(self, client_id: str) -> list[Brief]:
        of = self._of(client_id)
        return [of.brief(rid) for rid in sorted(of.resources)]

    def objects(self, client_id: str, namespaces: Collection[str] | None, most: int) -> list[Placed]:
        of = self._of(client_id)
        found = [one for one in self._briefs(client_id) if namespaces is None or one.ns in namespaces]
        owners: dict[str, list[str]] = {}
        nodes: dict[str, list[str]] = {}
        for edge in of.edges:
            if edge.type == "CONTROLS":
                owners.setdefault(edge.target, []).append(edge.source)
            if edge.type == "RUNS_ON":
                nodes.setdefault(edge.source, []).append(edge.target)
        return [Placed(one, *(tuple(sorted(of.get(one.rid, ()))) for of in (owners, nodes))) for one in found[:most]]

    def of_kinds(self, client_id: str, kinds: Collection[str], most: int) -> list[Listed]:
        of = self._of(client_id)
        tokens = {kind.lower() for kind in kinds} & KIND_OF_TOKEN.keys()
        found = [one for one in self._briefs(client_id) if one.rid.partition(":")[0] in tokens]
        return [_listed(of, one) for one in found[:most]]

    def bare_pods(self, client_id: str, most: int) -> list[Brief]:
        of = self._of(client_id)
        pods = [one for one in self._briefs(client_id) if one.rid.startswith("pod:")]
        return [one for one in pods if not _sources(of, "CONTROLS", one.rid)][:most]

    def sick(self, client_id: str, most: int) -> list[Brief]:
        return [one for one in self._briefs(client_id) if one.ails is not None][:most]

    def object(self, client_id: str, rid: str) -> tuple[Brief, Props] | None:
        of = self._of(client_id)
        return (of.brief(rid), of.resources[rid]) if rid in of.resources else None

    def briefs(self, client_id: str, rids: Collection[str]) -> list[Brief]:
        return [one for one in self._briefs(client_id) if one.rid in rids]

    def edges_at(self, client_id: str, rids: Collection[str], types: Collection[str], each: int) -> list[EdgesAt]:
        of = self._of(client_id)
        found: dict[tuple[str, str, bool], list[str]] = {}
        for edge in of.edges:
            for rid, other, outgoing in ((edge.source, edge.target, True), (edge.target, edge.source, False)):
                if rid in rids and edge.type in types:
                    found.setdefault((rid, edge.type, outgoing), []).append(other)
        return [EdgesAt(*at, tuple(of.brief(rid) for rid in sorted(others)[:each]), len(others)) for at, others in sorted(found.items())]

    def edges_between(self, client_id: str, rids: Collection[str], most: int) -> list[Edge]:
        wanted = frozenset(rids)
        return sorted(edge for edge in self._of(client_id).edges if edge.source in wanted and edge.target in wanted)[:most]

    def owners(self, client_id: str, rid: str) -> list[Brief]:
        of = self._of(client_id)
        hops: dict[str, int] = {}
        frontier = [rid]
        for hop in range(1, _MOST_HOPS + 1):
            frontier = sorted({owner for one in frontier for owner in _sources(of, "CONTROLS", one)} - hops.keys())
            hops |= dict.fromkeys(frontier, hop)
        return [of.brief(owner) for owner, _ in sorted(hops.items(), key=lambda one: (one[1], one[0]))]

    def members_of_namespace(self, client_id: str, ns: str, most: int) -> list[Brief]:
        return [one for one in self._briefs(client_id) if one.ns == ns][:most]

    def episodes(self, client_id: str, most: int) -> list[Props]:
        return sorted(self._of(client_id).episodes, key=lambda one: str(one["ver"]), reverse=True)[:most]

    def episodes_about(self, client_id: str, rids: Collection[str], most: int) -> list[Props]:
        return [one for one in self.episodes(client_id, len(self._of(client_id).episodes)) if one.get("subject") in rids][:most]

    def referrers_of(self, client_id: str, label: str, rid: str, most: int) -> list[Props]:
        return [one for one in self._of(client_id).referrers.get(label, []) if one.get("subject") == rid][:most]

    def incidents(self, client_id: str, *, is_open: bool | None, root: str | None, most: int) -> list[Props]:
        found = [one for one in self._of(client_id).incidents if root is None or one.get("root") == root]
        found = [one for one in found if is_open is None or (one.get("resolved") is None) == is_open]
        return sorted(sorted(sorted(found, key=_iid), key=_opened, reverse=True), key=_is_resolved)[:most]

    def incident(self, client_id: str, iid: str) -> Props | None:
        found = [one for one in self._of(client_id).incidents if iid == one["iid"] or iid in one.get("aliases", ())]
        return min(found, key=lambda one: (one["iid"] != iid, one["iid"]), default=None)

    def affected(self, client_id: str, iid: str, most: int) -> list[tuple[str, Brief]]:
        of = self._of(client_id)
        return sorted((role, of.brief(rid)) for one, role, rid in of.affects if one == iid)[:most]

    def episodes_of_incident(self, client_id: str, iid: str, most: int) -> list[Props]:
        of = self._of(client_id)
        eids = {eid for eid, one in of.part_of if one == iid}
        return [one for one in self.episodes(client_id, len(of.episodes)) if one["eid"] in eids][:most]

    def causes_of_incident(self, client_id: str, iid: str, most: int) -> list[tuple[Props, str, str]]:
        of = self._of(client_id)
        subject = {one["eid"]: one.get("subject", "") for one in of.episodes}
        found = [(props, subject[a], subject[b]) for props, a, b in of.causes if props["incident"] == iid]
        return sorted(found, key=lambda one: (one[0]["rank"], one[1], one[2]))[:most]

    def incidents_of(self, client_id: str, rid: str, most: int) -> list[tuple[Props, str]]:
        of = self._of(client_id)
        roles = {iid: role for iid, role, one in of.affects if one == rid}
        found = [(one, roles[one["iid"]]) for one in of.incidents if one["iid"] in roles]
        return sorted(sorted(found, key=lambda one: _iid(one[0])), key=lambda one: _opened(one[0]), reverse=True)[:most]

    def search(self, client_ids: Collection[str] | None, words: Collection[str], most: int) -> list[Hit]:
        found: list[Hit] = []
        for client_id, of in sorted(self._tenants.items()):
            for rid, props in sorted(of.resources.items()):
                texts = [(text, name in BEGINNINGS) for name in SEARCHED for text in _texts(props.get(name))]
                matches = all(any(_matches(word, *text) for text in texts) for word in words)
                if words and matches and (client_ids is None or client_id in client_ids):
                    found.append(Hit(client_id, of.brief(rid), tuple(_shown(props))))
        return found[:most]


def _open(one: ViewedTenant) -> int:
    return sum(incident.get("resolved") is None for incident in one.incidents)


def _sources(of: ViewedTenant, type_: str, rid: str) -> tuple[str, ...]:
    return tuple(sorted(edge.source for edge in of.edges if edge.type == type_ and edge.target == rid))


def _listed(of: ViewedTenant, one: Brief) -> Listed:
    props = of.resources[one.rid]
    runs = sum(edge.type == "RUNS_ON" and edge.target == one.rid for edge in of.edges)
    wanted, ready = (_first(props, *names) for names in (("desired_number_scheduled", "replicas"), ("number_ready", "ready_replicas")))
    return Listed(one, wanted, ready, bool(_sources(of, "CONTROLS", one.rid)), runs, props.get("image") or "")


def _first(props: Props, *names: str) -> Any:
    return next((props[name] for name in names if props.get(name) is not None), None)


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _matches(word: str, text: str, at_beginning: bool) -> bool:
    return any(text.startswith(form) if at_beginning else form in text for form in (word, word.lower()))


def _shown(props: Props) -> list[str]:
    return [text for name in ("labels", "image", "pod_ip", "uid", "service_ips") for text in _texts(props.get(name))]


def _iid(one: Props) -> str:
    return str(one["iid"])


def _opened(one: Props) -> Any:
    return one["opened"]


def _is_resolved(one: Props) -> bool:
    return one.get("resolved") is not None
