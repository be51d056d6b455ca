"""Hypothesis strategies: small worlds in which everything collides."""

from typing import Any

from hypothesis import strategies as st

from transforms.model.identity import Rid
from transforms.planning.implied import implied_by
from transforms.planning.interpret import digest_of
from transforms.planning.mutations import (
    DeleteEdge,
    DeleteNode,
    DeleteUid,
    Mutation,
    UpsertEdge,
    UpsertEpisode,
    UpsertNode,
)
from transforms.records.envelopes import OwnerRef
from transforms.records.record import make_ver

# A kind that the model does not know, which is cluster-scoped, and where a child takes it to be at first.
CUSTOM, GUESSED = "widget::w", "widget:a:w"
RIDS = ["pod:a:x", "pod:a:y", "service:a:s", "node::n", CUSTOM, GUESSED]
UIDS = ["", "u1", "u2", "u3"]
KIND = {"pod": "Pod", "service": "Service", "node": "Node", "widget": "widget"}
LABELS = [[], ["app=a"], ["app=a", "tier=b"]]
OWNERS = [OwnerRef("Widget", "w", uid="u3"), OwnerRef("Widget", "w"), OwnerRef("Pod", "y"), OwnerRef("Node", "n")]
TENANT = "af-10"


def key_props(rid: str) -> dict[str, Any]:
    kind, namespace, name = rid.split(":")
    return {"kind": KIND[kind], "name": name} | ({"ns": namespace} if namespace else {})


@st.composite
def _upsert(draw: st.DrawFn, ver: str) -> UpsertNode:
    rid = draw(st.sampled_from(RIDS))
    uid = draw(st.sampled_from(["u3", "u3", ""] if rid == CUSTOM else UIDS))
    props = key_props(rid) | {"image": draw(st.sampled_from("pq"))} | ({"uid": uid} if uid else {})
    owners = draw(st.lists(st.sampled_from(OWNERS), max_size=2)) if rid.startswith("pod:a:x") else []
    implies = implied_by(Rid(*rid.split(":")), draw(st.sampled_from(["", "n"])), owners)
    lists = {"implies": implies, "labels": draw(st.sampled_from(LABELS))}
    if rid.startswith("service:"):
        lists |= {"selector": draw(st.sampled_from(LABELS))}
    props |= {name: value for name, value in lists.items() if value}
    return UpsertNode(TENANT, ver, rid, uid, props, digest_of(props))


@st.composite
def _mutation(draw: st.DrawFn, offset: int) -> Mutation:
    ver = make_ver(draw(st.integers(1, 8)), "t", 0, offset)
    match draw(st.sampled_from(["node", "node", "node", "-node", "-uid", "edge", "edge", "-edge", "episode"])):
        case "node":
            return draw(_upsert(ver))
        case "-node":
            return DeleteNode(TENANT, ver, draw(st.sampled_from(RIDS)))
        case "-uid":
            return DeleteUid(TENANT, ver, draw(st.sampled_from(UIDS[1:])))
        case "edge":
            kind, source, target = draw(
                st.sampled_from(
                    [
                        ("RUNS_ON", "pod:a:x", "node::n"),
                        ("SELECTS", "service:a:s", "pod:a:x"),
                        ("CONTROLS", CUSTOM, "pod:a:x"),
                        ("CONTROLS", GUESSED, "pod:a:x"),
                        ("CONTROLS", "pod:a:y", "pod:a:x"),
                        ("RUNS_ON", "pod:a:y", "node::n"),
                    ]
                )
            )
            return UpsertEdge(TENANT, ver, draw(st.sampled_from(["e1", "e2", "e3"])), kind, source, target)
        case "-edge":
            return DeleteEdge(TENANT, ver, draw(st.sampled_from(["e1", "e2", "e3"])))
        case _:
            subject = draw(st.sampled_from(RIDS))
            props = {"message": draw(st.sampled_from("mn")), "subject": subject}
            return UpsertEpisode(TENANT, ver, draw(st.sampled_from(["v1", "v2"])), subject, props, digest_of(props))


@st.composite
def worlds(draw: st.DrawFn, start: int = 0, most: int = 16) -> list[Mutation]:
    """Mutations of one tenant, each from a record of its own; `start` is the first record's offset."""
    return [draw(_mutation(start + offset)) for offset in range(draw(st.integers(1, most)))]


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Mutation], list[list[Mutation]]]:
    """A world, and a delivery of it: any order, each mutation one to three times, cut into any slices."""
    world = draw(worlds())
    repeated = [one for one in world for _ in range(draw(st.integers(1, 3)))]
    order = draw(st.permutations(repeated))
    slices: list[list[Mutation]] = []
    while order:
        size = draw(st.integers(1, len(order)))
        slices.append(order[:size])
        order = order[size:]
    return world, slices
