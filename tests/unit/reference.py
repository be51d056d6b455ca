"""The contract's graph semantics written a second time, as plainly as possible, over the whole set of mutations.

Slow and stateless: what `planning` computes in increments must equal this function of the set.
"""

from tests.unit.strategies import CUSTOM, GUESSED, key_props
from transforms.io.graph_digest import GraphDigest
from transforms.model.graph import ABOUT, EPISODIC, RESOURCE
from transforms.planning.mutations import (
    DeleteNode,
    DeleteUid,
    Mutation,
    UpsertEdge,
    UpsertEpisode,
    UpsertNode,
)
from transforms.records.record import t_of

Placed = tuple[str, str, str]


def expected_digest(mutations: list[Mutation]) -> GraphDigest:
    newest: dict[tuple[str, str, str], Mutation] = {}
    for one in mutations:
        if one.aspect not in newest or one.ver > newest[one.aspect].ver:
            newest[one.aspect] = one
    held = list(newest.values())
    live, dead_t = lives(held)

    def stands(ver: str, *rids: str) -> bool:
        return all(t_of(ver) > dead_t.get(rid, "") for rid in rids)

    triples = {
        (one.type, one.source, one.target) for one in held if isinstance(one, UpsertEdge) and stands(one.ver, one.source, one.target)
    }
    scoped = {one.uid for one in mutations if isinstance(one, UpsertNode) and one.rid == CUSTOM and one.uid}
    for node in live.values():
        for triple, other in implied(node, scoped):
            if stands(node.ver, other):
                triples.add(triple)
    triples |= selects(live)
    episodes = [one for one in held if isinstance(one, UpsertEpisode)]
    about = [one for one in episodes if stands(one.ver, one.subject)]

    digest = GraphDigest()
    for rid, node in live.items():
        digest.add_node(RESOURCE, rid, node.props)
    for rid in ({rid for triple in triples for rid in triple[1:]} | {one.subject for one in about}) - live.keys():
        digest.add_node(RESOURCE, rid, key_props(rid) | {"stub": True})
    for one in episodes:
        digest.add_node(EPISODIC, one.eid, one.props)
    for kind, source, target in triples:
        digest.add_relationship(kind, RESOURCE.label, source, RESOURCE.label, target)
    for one in about:
        digest.add_relationship(ABOUT.type, EPISODIC.label, one.eid, RESOURCE.label, one.subject)
    return digest


def lives(held: list[Mutation]) -> tuple[dict[str, UpsertNode], dict[str, str]]:
    """The current life of each rid, and up to when relationships at a rid are dead."""
    rid_end = {one.rid: one.ver for one in held if isinstance(one, DeleteNode)}
    uid_end = {one.uid: one.ver for one in held if isinstance(one, DeleteUid)}
    live: dict[str, UpsertNode] = {}
    dead_t = {rid: t_of(ver) for rid, ver in rid_end.items()}
    for rid in {one.rid for one in held if isinstance(one, UpsertNode)}:
        borne = [one for one in held if isinstance(one, UpsertNode) and one.rid == rid and one.ver > rid_end.get(rid, "")]
        ends = [uid_end.get(one.uid, "") for one in borne if one.uid]
        alive = [one for one in borne if one.ver > (uid_end.get(one.uid, "") if one.uid else max(ends, default=""))]
        if alive:
            live[rid] = max(alive, key=lambda one: one.ver)
        elif borne:
            dead_t[rid] = max([dead_t.get(rid, ""), *map(t_of, ends)])
    return live, dead_t


def implied(node: UpsertNode, scoped: set[str]) -> list[tuple[Placed, str]]:
    """The relationships that a live node implies, each with the object at its other end."""
    found: list[tuple[Placed, str]] = []
    for text in node.props.get("implies", []):
        kind, other, uid = text.split("\x1f")
        if other == GUESSED and uid in scoped:
            other = CUSTOM
        found.append(((kind, node.rid, other) if kind == "RUNS_ON" else (kind, other, node.rid), other))
    return found


def selects(live: dict[str, UpsertNode]) -> set[Placed]:
    """Live Services and the live Pods that they select; the worlds have one namespace."""
    return {
        ("SELECTS", service.rid, pod.rid)
        for service in live.values()
        for pod in live.values()
        if service.rid.startswith("service:")
        and pod.rid.startswith("pod:")
        and service.props.get("selector")
        and set(service.props["selector"]) <= set(pod.props.get("labels", []))
    }
