"""The contract's graph semantics written a second time, as plainly as possible, over the whole set of mutations.

Slow and stateless: what `planning` computes in increments must equal this function of the set.
"""

from collections.abc import Callable

from tests.unit.strategies import CUSTOM, GUESSED, RIDS, key_props
from transforms.io.graph_digest import GraphDigest
from transforms.model.graph import REFERRERS, REFERS, RESOURCE
from transforms.planning.mutations import (
    DeleteNode,
    DeleteUid,
    EndSnapshot,
    Mutation,
    UpsertEdge,
    UpsertNode,
    UpsertReferrer,
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
    referrers = [one for one in held if isinstance(one, UpsertReferrer)]
    about = [one for one in referrers if one.subject and stands(one.ver, one.subject)]

    digest = GraphDigest()
    for rid, node in live.items():
        digest.add_node(RESOURCE, rid, node.props)
    for rid in ({rid for triple in triples for rid in triple[1:]} | {one.subject for one in about}) - live.keys():
        digest.add_node(RESOURCE, rid, key_props(rid) | {"stub": True})
    for one in referrers:
        digest.add_node(REFERRERS[one.label], one.key, one.props | counted(one, mutations))
    for kind, source, target in triples:
        digest.add_relationship(kind, RESOURCE.label, source, RESOURCE.label, target)
    for one in about:
        digest.add_relationship(REFERS[one.label].type, one.label, one.key, RESOURCE.label, one.subject)
    for rule, episode in emits(referrers):
        digest.add_relationship("EMITS", "Rule", rule, "Episodic", episode)
    return digest


def emits(referrers: list[UpsertReferrer]) -> set[tuple[str, str]]:
    """Rules and the episodes of the same alert."""
    raised = {(one.label, one.key, one.props["alert"]) for one in referrers if "alert" in one.props}
    return {(rule, episode) for a, rule, of in raised for b, episode, alert in raised if (a, b, of) == ("Rule", "Episodic", alert)}


def counted(one: UpsertReferrer, mutations: list[Mutation]) -> dict[str, int]:
    """How many distinct occurrences all records of an episode that counts have seen."""
    seen = {other.seen for other in mutations if isinstance(other, UpsertReferrer) and other.at == one.at and other.seen}
    return {"count": len(seen)} if seen else {}


def lives(held: list[Mutation]) -> tuple[dict[str, UpsertNode], dict[str, str]]:
    """The current life of each rid, and up to when relationships at a rid are dead."""
    rid_end = {one.rid: one.ver for one in held if isinstance(one, DeleteNode)}
    uid_end = {one.uid: one.ver for one in held if isinstance(one, DeleteUid)}
    began = {one.kind: t_of(one.ver) for one in held if isinstance(one, EndSnapshot)}
    live: dict[str, UpsertNode] = {}
    dead_t = {rid: t_of(ver) for rid, ver in rid_end.items()}
    for rid in {one.rid for one in held if isinstance(one, UpsertNode)}:
        borne = [one for one in held if isinstance(one, UpsertNode) and one.rid == rid and one.ver > rid_end.get(rid, "")]
        ends = [uid_end.get(one.uid, "") for one in borne if one.uid]
        reported_since = began.get(rid.split(":")[0], "")
        alive = [
            one
            for one in borne
            if t_of(one.ver) >= reported_since and one.ver > (uid_end.get(one.uid, "") if one.uid else max(ends, default=""))
        ]
        if alive:
            live[rid] = max(alive, key=lambda one: one.ver)
        elif borne:
            dead_t[rid] = max([dead_t.get(rid, ""), *map(t_of, ends)])
    for rid in set(RIDS) - live.keys():
        if began.get(rid.split(":")[0]):
            dead_t[rid] = max(dead_t.get(rid, ""), f"{int(began[rid.split(':')[0]]) - 1:018d}")
    return live, dead_t


def implied(node: UpsertNode, scoped: set[str]) -> list[tuple[Placed, str]]:
    """The relationships that a live node implies, each with the object at its other end."""
    found: list[tuple[Placed, str]] = []
    for text in node.props.get("implies", []):
        kind, other, uid = text.split("\x1f")
        if other == GUESSED and uid in scoped:
            other = CUSTOM
        found.append(((kind, other, node.rid) if kind == "CONTROLS" else (kind, node.rid, other), other))
    return found


def selects(live: dict[str, UpsertNode]) -> set[Placed]:
    """Live Services and policies and the live Pods that they select; the worlds have one namespace."""
    return {
        ("SELECTS", one.rid, pod.rid)
        for one in live.values()
        for pod in live.values()
        if one.rid.startswith(("service:", "networkpolicy:"))
        and pod.rid.startswith("pod:")
        and one.props.get("selector")
        and all(TERMS[term](set(pod.props.get("labels", []))) for term in one.props["selector"])
    }


# What each selector of the worlds asks of labels, said without parsing it; a Pod has `app=a` and `tier=b`, or not.
TERMS: dict[str, Callable[[set[str]], bool]] = {
    "*": lambda _: True,
    "app=a": lambda labels: "app=a" in labels,
    "tier=b": lambda labels: "tier=b" in labels,
    "app in (a,b)": lambda labels: "app=a" in labels,
    "tier": lambda labels: "tier=b" in labels,
    "!tier": lambda labels: "tier=b" not in labels,
    "tier notin (a,b)": lambda labels: "tier=b" not in labels,
}
