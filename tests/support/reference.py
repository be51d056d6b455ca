"""The contract's graph semantics written a second time, as plainly as possible, over the whole set of mutations.

Slow and stateless: what `planning` computes in increments must equal this function of the set.
"""

from collections.abc import Callable
from hashlib import blake2b

from tests.support.strategies import GROUPED, LOOSE, RIDS, is_guessable, key_props
from transforms.io.neo4j.digest import GraphDigest
from transforms.model.graph import REFERRERS, REFERS, RESOURCE
from transforms.planning.facts.mutations import (
    DeleteNode,
    DeleteUid,
    DeleteUnnamed,
    EndAbsent,
    EndSnapshot,
    Mutation,
    UpsertEdge,
    UpsertNode,
    UpsertReferrer,
)
from transforms.records.record import t_of

Placed = tuple[str, str, str]


def expected_digest(mutations: list[Mutation], most_joined: int = 32) -> GraphDigest:
    newest: dict[tuple[str, str, str], Mutation] = {}
    for one in mutations:
        if one.aspect not in newest or one.ver > newest[one.aspect].ver:
            newest[one.aspect] = one
    held = list(newest.values())
    spoken = {one.rid for one in mutations if isinstance(one, UpsertNode | DeleteNode | DeleteUnnamed)}
    live, dead_t = lives(held, spoken)

    def stands(ver: str, *rids: str) -> bool:
        return all(t_of(ver) > dead_t.get(rid, "") for rid in rids)

    scoped = {one.uid for one in mutations if isinstance(one, UpsertNode) and is_guessable(one.rid) and one.uid}

    def place(rid: str, uid: str = "") -> str:
        return placed(rid, uid in scoped, spoken)

    triples = {
        (one.type, place(one.source), place(one.target))
        for one in held
        if isinstance(one, UpsertEdge) and stands(one.ver, place(one.source), place(one.target))
    }
    for node in live.values():
        for kind, named, uid in implied(node):
            other = place(named, uid)
            if stands(node.ver, other):
                triples.add((kind, other, node.rid) if kind == "CONTROLS" else (kind, node.rid, other))
    selected, more = selects(live, most_joined)
    triples |= selected
    referrers = [one for one in held if isinstance(one, UpsertReferrer)]
    subjects = {one.at: place(one.subject, one.subject_uid) for one in referrers if one.subject}
    about = [one for one in referrers if one.subject and stands(one.ver, subjects[one.at])]

    digest = GraphDigest()
    for rid, node in live.items():
        digest.add_node(RESOURCE, rid, node.props | dict.fromkeys(more.get(rid, ()), True))
    for rid in ({rid for triple in triples for rid in triple[1:]} | {subjects[one.at] for one in about}) - live.keys():
        digest.add_node(RESOURCE, rid, key_props(rid) | {"stub": True})
    emitted, crowded = emits(referrers, most_joined)
    for one in referrers:
        subject = {"subject": subjects[one.at]} if one.subject else {}
        left_out = {"emits_capped": True} if one.label == "Rule" and one.key in crowded else {}
        digest.add_node(REFERRERS[one.label], one.key, one.props | counted(one, mutations) | subject | left_out)
    for kind, source, target in triples:
        digest.add_relationship(kind, RESOURCE.label, source, RESOURCE.label, target)
    for one in about:
        digest.add_relationship(REFERS[one.label].type, one.label, one.key, RESOURCE.label, subjects[one.at])
    for rule, episode in emitted:
        digest.add_relationship("EMITS", "Rule", rule, "Episodic", episode)
    return digest


def grouped(rid: str, spoken: set[str]) -> set[str]:
    """The objects, spoken for with their group, that a name without one may mean."""
    kind, rest = rid.split(":", 1)
    return {one for one in spoken if one in GROUPED and one.split(":", 1)[1] == rest and one.startswith(f"{kind}.")}


def placed(rid: str, at_cluster: bool, spoken: set[str]) -> str:
    """Where the object is that is named so."""
    if at_cluster:
        kind, _, name = rid.split(":")
        rid = f"{kind}::{name}"
    found = grouped(rid, spoken)
    return found.pop() if len(found) == 1 else rid


def emits(referrers: list[UpsertReferrer], most: int) -> tuple[set[tuple[str, str]], set[str]]:
    """The first rules of each alert with the episodes of the same, and the rules that come after those."""
    raised = [(one.label, one.key, one.props["alert"]) for one in referrers if "alert" in one.props]
    pairs: set[tuple[str, str]] = set()
    left_out: set[str] = set()
    for alert in {of for _, _, of in raised}:
        rules = sorted(key for label, key, of in raised if (label, of) == ("Rule", alert))
        pairs |= {(rule, key) for rule in rules[:most] for label, key, of in raised if (label, of) == ("Episodic", alert)}
        left_out |= set(rules[most:])
    return pairs, left_out


def counted(one: UpsertReferrer, mutations: list[Mutation]) -> dict[str, int]:
    """How many distinct occurrences all records of an episode that counts have seen."""
    seen = {other.seen for other in mutations if isinstance(other, UpsertReferrer) and other.at == one.at and other.seen}
    return {"count": len(seen)} if seen else {}


def lives(held: list[Mutation], spoken: set[str]) -> tuple[dict[str, UpsertNode], dict[str, str]]:
    """The current life of each rid, and up to when relationships at a rid are dead."""
    uid_end = {one.uid: one.ver for one in held if isinstance(one, DeleteUid)}
    began = {one.kind: t_of(one.ver) for one in held if isinstance(one, EndSnapshot)}

    def ended(kind: type[DeleteNode] | type[DeleteUnnamed]) -> dict[str, str]:
        """Deletes by rid; one that names no group is one of each object that it may mean."""
        found: dict[str, str] = {}
        for one in held:
            if isinstance(one, kind):
                for rid in {one.rid} | grouped(one.rid, spoken):
                    found[rid] = max(found.get(rid, ""), one.ver)
        return found

    rid_end, unnamed_end = ended(DeleteNode), ended(DeleteUnnamed)
    live: dict[str, UpsertNode] = {}
    dead_t = {rid: t_of(ver) for rid, ver in rid_end.items()}
    for rid in RIDS:
        borne = [one for one in held if isinstance(one, UpsertNode) and one.rid == rid and one.ver > rid_end.get(rid, "")]
        ends = [uid_end.get(one.uid, "") for one in borne if one.uid]
        last_end = max([*ends, unnamed_end.get(rid, "")])
        reported_since = began.get(rid.split(":")[0], "")
        absent_since = {one.uid: not_listed_since(held, rid, one.uid) for one in borne}
        alive = [
            one
            for one in borne
            if t_of(one.ver) >= max(reported_since, absent_since[one.uid])
            and one.ver > (uid_end.get(one.uid, "") if one.uid else last_end)
            and not (rid in LOOSE and grouped(rid, spoken))
        ]
        if alive:
            live[rid] = max(alive, key=lambda one: one.ver)
        else:
            left_out = f"{int(reported_since) - 1:018d}" if reported_since else ""
            absent = [before(since) for one in borne if (since := absent_since[one.uid]) > t_of(one.ver)]
            dead_t[rid] = max([dead_t.get(rid, ""), t_of(last_end), left_out, *absent, *map(t_of, ends)])
    return live, dead_t


def before(t: str) -> str:
    return f"{int(t) - 1:018d}"


def not_listed_since(held: list[Mutation], rid: str, uid: str) -> str:
    """The time of the newest manifest that speaks for the object, if it does not list that life."""
    kind, place = rid.split(":", maxsplit=1)[0], blake2b(rid.encode(), digest_size=8).digest()
    speaking = [one for one in held if isinstance(one, EndAbsent) and one.kind == kind and place.hex().startswith(one.part)]
    if not speaking:
        return ""
    newest = max(speaking, key=lambda one: one.ver)
    entries = [newest.alive[at : at + 12] for at in range(0, len(newest.alive), 12)]
    life = blake2b(uid.encode(), digest_size=4).digest()
    listed = any(one[:8] == place and (not uid or one[8:] == life) for one in entries)
    return "" if listed else t_of(newest.ver)


def implied(node: UpsertNode) -> list[tuple[str, str, str]]:
    """The relationships that a live node implies: type, the object at the other end as it is named, and its uid."""
    return [tuple(text.split("\x1f")) for text in node.props.get("implies", [])]


def selects(live: dict[str, UpsertNode], most: int) -> tuple[set[Placed], dict[str, list[str]]]:
    """The first live Services that select each live Pod, the first policies likewise, and what Pods say that more select.

    The worlds have one namespace. What selects everything selects its Namespace, by what it implies.
    """
    pairs: set[Placed] = set()
    more: dict[str, list[str]] = {}
    for pod in (one for one in live.values() if one.rid.startswith("pod:")):
        for kind, name in (("service", "services_capped"), ("networkpolicy", "policies_capped")):
            found = sorted(one.rid for one in live.values() if one.rid.startswith(f"{kind}:") and selects_one(one, pod))
            pairs |= {("SELECTS", rid, pod.rid) for rid in found[:most]}
            if len(found) > most:
                more.setdefault(pod.rid, []).append(name)
    return pairs, more


def selects_one(one: UpsertNode, pod: UpsertNode) -> bool:
    """Whether the object selects the Pod by name and not all Pods."""
    terms = one.props.get("selector", [])
    return bool(terms) and terms != ["*"] and all(TERMS[term](set(pod.props.get("labels", []))) for term in terms)


# What each selector of the worlds asks of labels, said without parsing it; a Pod has `app=a` and `tier=b`, or not.
TERMS: dict[str, Callable[[set[str]], bool]] = {
    "app=a": lambda labels: "app=a" in labels,
    "tier=b": lambda labels: "tier=b" in labels,
    "app in (a,b)": lambda labels: "app=a" in labels,
    "tier": lambda labels: "tier=b" in labels,
    "!tier": lambda labels: "tier=b" not in labels,
    "tier notin (a,b)": lambda labels: "tier=b" not in labels,
}
