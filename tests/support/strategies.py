"""Hypothesis strategies: small worlds in which everything collides."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from transforms.model.identity import Rid, bare_of
from transforms.planning.facts.implied import implied_by
from transforms.planning.facts.mutations import (
    DeleteEdge,
    DeleteNode,
    DeleteReferrer,
    DeleteUid,
    DeleteUnnamed,
    EndAbsent,
    EndSnapshot,
    Mutation,
    UpsertEdge,
    UpsertNode,
    UpsertReferrer,
)
from transforms.planning.facts.occurrence_set import seen
from transforms.planning.facts.references import Reference
from transforms.planning.facts.values import digest_of
from transforms.records.envelopes.types import OwnerRef
from transforms.records.manifests import entry_of, parts_at
from transforms.records.record import make_ver, t_of

# As the API server says it of every object; a graph gives it back in a type of its own.
CREATED = datetime(2026, 3, 1, 8, 0, 0, 250_000, UTC)
# A kind that the model does not know, which is cluster-scoped, and where a child takes it to be at first.
CUSTOM, GUESSED = "widget::w", "widget:a:w"
# One kind in two groups, one of them without a namespace too, and what who names no group calls them.
GROUPED = ["gadget.one.io:a:g", "gadget.two.io:a:g", "gadget.two.io::g"]
LOOSE = ["gadget:a:g", "gadget::g"]
RIDS = [
    *("pod:a:x", "pod:a:y", "service:a:s", "service:a:t", "node::n", "configmap:a:c", "networkpolicy:a:np", "networkpolicy:a:nq"),
    *("namespace::a", CUSTOM, GUESSED, *GROUPED, *LOOSE),
]
UIDS = ["", "u1", "u2", "u3"]
PARTS = ["", *sorted({part for rid in RIDS for part in parts_at(rid) if part})]
KIND = {"pod": "Pod", "service": "Service", "node": "Node", "configmap": "ConfigMap", "networkpolicy": "NetworkPolicy"}
KIND |= {"namespace": "Namespace"}
LABELS = [[], ["app=a"], ["app=a", "tier=b"]]
POLICIES = [[], ["*"], ["app=a"], ["app in (a,b)"], ["!tier", "app=a"], ["tier"], ["tier notin (a,b)"]]
REFERENCES = [Reference("MOUNTS", "configmap:a:c"), Reference("USES", "pod:a:y"), Reference("SCALES", "gadget:a:g")]
OWNERS = [
    OwnerRef("Widget", "w", uid="u3"),
    OwnerRef("Widget", "w"),
    OwnerRef("Pod", "y"),
    OwnerRef("Node", "n"),
    OwnerRef("Gadget", "g", uid="u3"),
    OwnerRef("Gadget", "g", "two.io/v1", uid="u3"),
    OwnerRef("Gadget", "g", "one.io/v1"),
]
TENANT = "af-10"


def key_props(rid: str) -> dict[str, Any]:
    kind, namespace, name = rid.split(":")
    return {"kind": KIND.get(kind, kind), "name": name} | ({"ns": namespace} if namespace else {})


def is_guessable(rid: str) -> bool:
    """Whether an object shows that a kind which the model does not know is cluster-scoped."""
    return rid in (CUSTOM, "gadget.two.io::g", "gadget::g")


@st.composite
def _upsert(draw: st.DrawFn, ver: str, rids: list[str] = RIDS) -> UpsertNode:
    rid = draw(st.sampled_from(rids))
    uid = draw(st.sampled_from(["u3", "u3", ""] if is_guessable(rid) else UIDS))
    props = key_props(rid) | {"image": draw(st.sampled_from("pq"))} | ({"uid": uid, "created": CREATED} if uid else {})
    owners = draw(st.lists(st.sampled_from(OWNERS), max_size=2)) if rid.startswith("pod:a:x") else []
    refers = draw(st.lists(st.sampled_from(REFERENCES), max_size=2)) if rid.startswith("pod:") else []
    policy = draw(st.sampled_from(POLICIES)) if rid.startswith("networkpolicy:") else []
    if policy == ["*"]:
        refers = [Reference("SELECTS", "namespace::a")]
    implies = implied_by(Rid(*rid.split(":")), draw(st.sampled_from(["", "n"])), owners, refers)
    lists = {"implies": implies, "labels": draw(st.sampled_from(LABELS))}
    if rid.startswith("service:"):
        lists |= {"selector": draw(st.sampled_from(LABELS))}
    if rid.startswith("networkpolicy:"):
        lists |= {"selector": policy}
    props |= {name: value for name, value in lists.items() if value} | ({"bare": bare_of(rid)} if bare_of(rid) else {})
    return UpsertNode(TENANT, ver, rid, uid, props, digest_of(props))


@st.composite
def _referrer(draw: st.DrawFn, ver: str, label: str, keys: list[str], alerts: list[str], rids: list[str] | None = None) -> UpsertReferrer:
    # Only an episode's subject may be named without a group: the labels of targets and rules name kinds of Kubernetes' own.
    subject = draw(st.sampled_from(["", *(rids or (RIDS if label == "Episodic" else RIDS[:6]))]))
    guessed = label == "Episodic" and subject in (GUESSED, "gadget:a:g", "gadget.two.io:a:g")
    uid = draw(st.sampled_from(["", "u3"])) if guessed else ""
    given = {"message": draw(st.sampled_from("mn")), "subject": subject, "alert": draw(st.sampled_from(alerts)), "subject_uid": uid}
    props = {name: value for name, value in given.items() if value}
    key = draw(st.sampled_from(keys))
    return UpsertReferrer(TENANT, ver, label, key, subject, props, digest_of(props), subject_uid=uid)


@st.composite
def _line(draw: st.DrawFn, ver: str) -> UpsertReferrer:
    """A line of a log: one of several occurrences of an episode that counts."""
    props = {"message": "line", "subject": "pod:a:x", "at": t_of(ver)}
    occurrence = seen(draw(st.sampled_from(["o1", "o2", "o3"])))
    return UpsertReferrer(TENANT, ver, "Episodic", "line", "pod:a:x", props, digest_of(props), occurrence)


EDGES = [
    ("RUNS_ON", "pod:a:x", "node::n"),
    ("SELECTS", "service:a:s", "pod:a:x"),
    ("SELECTS", "networkpolicy:a:np", "pod:a:x"),
    ("CONTROLS", CUSTOM, "pod:a:x"),
    ("CONTROLS", GUESSED, "pod:a:x"),
    ("CONTROLS", "pod:a:y", "pod:a:x"),
    ("RUNS_ON", "pod:a:y", "node::n"),
    ("CONTROLS", "gadget:a:g", "pod:a:x"),
    ("CONTROLS", "gadget.one.io:a:g", "pod:a:x"),
    ("SELECTS", "gadget::g", "gadget:a:g"),
]
EDGE_IDS = ["e1", "e2", "e3"]


def _manifest(ver: str, rids: Sequence[str] = ()) -> st.SearchStrategy[Mutation]:
    """Some objects of a kind as all that are alive of it, or of one part."""
    kinds = sorted({rid.split(":")[0] for rid in rids or RIDS})

    def made(kind: str, part: str, named: list[tuple[str, str]]) -> EndAbsent:
        entries = {entry_of(rid, uid) for rid, uid in named if rid.split(":")[0] == kind and part in parts_at(rid)}
        return EndAbsent(TENANT, ver, kind, part, b"".join(sorted(entries)))

    named = st.lists(st.tuples(st.sampled_from(rids or RIDS), st.sampled_from(UIDS)), max_size=6)
    return st.builds(made, st.sampled_from(kinds), st.just("") | st.sampled_from(PARTS), named)


def _kinds(ver: str) -> list[st.SearchStrategy[Mutation]]:
    """What a record may say, the more likely the more often."""
    edge_ids = st.sampled_from(EDGE_IDS)
    edge = st.builds(lambda edge_id, edge: UpsertEdge(TENANT, ver, edge_id, *edge), edge_ids, st.sampled_from(EDGES))
    return [
        _upsert(ver),
        _upsert(ver),
        _upsert(ver),
        st.sampled_from(RIDS).map(lambda rid: DeleteNode(TENANT, ver, rid)),
        st.sampled_from(UIDS[1:]).map(lambda uid: DeleteUid(TENANT, ver, uid)),
        st.sampled_from(RIDS).map(lambda rid: DeleteUnnamed(TENANT, ver, rid)),
        st.sampled_from(["pod", "node", "widget", "gadget", "gadget.one.io"]).map(lambda kind: EndSnapshot(TENANT, ver, kind)),
        _manifest(ver),
        edge,
        edge,
        edge_ids.map(lambda edge_id: DeleteEdge(TENANT, ver, edge_id)),
        _referrer(ver, "Episodic", ["v1", "v2"], ["", "Down", "Slow"]),
        _line(ver),
        _referrer(ver, "Rule", ["r1", "r2"], ["", "Down", "Slow"]),
        st.sampled_from(["r1", "r2"]).map(lambda key: DeleteReferrer(TENANT, ver, "Rule", key)),
        _referrer(ver, "PromTarget", ["t1"], [""]),
    ]


@st.composite
def _mutation(draw: st.DrawFn, offset: int) -> Mutation:
    return draw(draw(st.sampled_from(_kinds(make_ver(draw(st.integers(1, 8)), "t", 0, offset)))))


def _loose_kinds(ver: str) -> list[st.SearchStrategy[Mutation]]:
    """What a record may say of objects that are named with and without their groups, and little else."""
    edges = [edge for edge in EDGES if "gadget" in "".join(edge)]
    edge = st.builds(lambda edge_id, edge: UpsertEdge(TENANT, ver, edge_id, *edge), st.sampled_from(EDGE_IDS), st.sampled_from(edges))
    gadgets = [*GROUPED, *LOOSE]
    return [
        _upsert(ver, [*gadgets, "pod:a:x"]),
        _upsert(ver, gadgets),
        _upsert(ver, gadgets),
        st.sampled_from(gadgets).map(lambda rid: DeleteNode(TENANT, ver, rid)),
        st.sampled_from(gadgets).map(lambda rid: DeleteUnnamed(TENANT, ver, rid)),
        st.sampled_from(UIDS[1:]).map(lambda uid: DeleteUid(TENANT, ver, uid)),
        st.sampled_from(["gadget", "gadget.one.io", "gadget.two.io"]).map(lambda kind: EndSnapshot(TENANT, ver, kind)),
        _manifest(ver, gadgets),
        edge,
        edge,
        _referrer(ver, "Episodic", ["v1", "v2"], [""], gadgets),
    ]


@st.composite
def loose_worlds(draw: st.DrawFn) -> list[Mutation]:
    versions = [make_ver(draw(st.integers(1, 8)), "t", 0, offset) for offset in range(draw(st.integers(1, 10)))]
    return [draw(draw(st.sampled_from(_loose_kinds(ver)))) for ver in versions]


@st.composite
def worlds(draw: st.DrawFn, start: int = 0, most: int = 16) -> list[Mutation]:
    """Mutations of one tenant, each from a record of its own; `start` is the first record's offset."""
    return [draw(_mutation(start + offset)) for offset in range(draw(st.integers(1, most)))]


@st.composite
def deliveries(draw: st.DrawFn, of: st.SearchStrategy[list[Mutation]] | None = None) -> tuple[list[Mutation], list[list[Mutation]]]:
    """A world, and a delivery of it: any order, each mutation one to three times, cut into any slices."""
    world = draw(worlds() if of is None else of)
    repeated = [one for one in world for _ in range(draw(st.integers(1, 3)))]
    order = draw(st.permutations(repeated))
    slices: list[list[Mutation]] = []
    while order:
        size = draw(st.integers(1, len(order)))
        slices.append(order[:size])
        order = order[size:]
    return world, slices
