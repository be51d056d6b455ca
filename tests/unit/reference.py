"""The contract's graph semantics written a second time, as plainly as possible, over the whole set of mutations.

Slow and stateless: what `planning` computes in increments must equal this function of the set.
"""

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


def expected_digest(mutations: list[Mutation]) -> GraphDigest:
    newest: dict[tuple[str, str, str], Mutation] = {}
    for one in mutations:
        if one.aspect not in newest or one.ver > newest[one.aspect].ver:
            newest[one.aspect] = one
    held = list(newest.values())
    rid_end = {one.rid: one.ver for one in held if isinstance(one, DeleteNode)}
    uid_end = {one.uid: one.ver for one in held if isinstance(one, DeleteUid)}

    live: dict[str, UpsertNode] = {}
    dead_t: dict[str, str] = {rid: t_of(ver) for rid, ver in rid_end.items()}
    for rid in {one.rid for one in held if isinstance(one, UpsertNode)}:
        lives = [one for one in held if isinstance(one, UpsertNode) and one.rid == rid and one.ver > rid_end.get(rid, "")]
        ends = [uid_end.get(one.uid, "") for one in lives if one.uid]
        alive = [one for one in lives if one.ver > (uid_end.get(one.uid, "") if one.uid else max(ends, default=""))]
        if alive:
            live[rid] = max(alive, key=lambda one: one.ver)
        elif lives:
            dead_t[rid] = max([dead_t.get(rid, ""), *map(t_of, ends)])

    def stands(ver: str, *rids: str) -> bool:
        return all(t_of(ver) > dead_t.get(rid, "") for rid in rids)

    triples = {
        (one.type, one.source, one.target) for one in held if isinstance(one, UpsertEdge) and stands(one.ver, one.source, one.target)
    }
    episodes = [one for one in held if isinstance(one, UpsertEpisode)]
    about = [one for one in episodes if stands(one.ver, one.subject)]

    digest = GraphDigest()
    for rid, node in live.items():
        digest.add_node(RESOURCE, rid, node.props)
    for rid in {rid for triple in triples for rid in triple[1:]} | {one.subject for one in about}:
        if rid not in live:
            kind, namespace, name = rid.split(":", 2)
            digest.add_node(RESOURCE, rid, {"kind": kind.capitalize(), "ns": namespace, "name": name, "stub": True})
    for one in episodes:
        digest.add_node(EPISODIC, one.eid, one.props)
    for kind, source, target in triples:
        digest.add_relationship(kind, RESOURCE.label, source, RESOURCE.label, target)
    for one in about:
        digest.add_relationship(ABOUT.type, EPISODIC.label, one.eid, RESOURCE.label, one.subject)
    return digest
