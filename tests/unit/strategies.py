"""Hypothesis strategies: small worlds in which everything collides."""

from hypothesis import strategies as st

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
from transforms.records.record import make_ver

RIDS = ["pod:a:x", "pod:a:y", "job:a:z"]
UIDS = ["", "u1", "u2", "u3"]
TENANT = "af-10"


def _props(rid: str, uid: str, image: str) -> dict[str, object]:
    kind, namespace, name = rid.split(":")
    props: dict[str, object] = {"kind": kind.capitalize(), "ns": namespace, "name": name, "image": image}
    return props | ({"uid": uid} if uid else {})


@st.composite
def _mutation(draw: st.DrawFn, offset: int) -> Mutation:
    ver = make_ver(draw(st.integers(1, 8)), "t", 0, offset)
    match draw(st.sampled_from(["node", "node", "-node", "-uid", "edge", "edge", "-edge", "episode"])):
        case "node":
            rid, uid, image = draw(st.sampled_from(RIDS)), draw(st.sampled_from(UIDS)), draw(st.sampled_from("pq"))
            props = _props(rid, uid, image)
            return UpsertNode(TENANT, ver, rid, uid, props, digest_of(props))
        case "-node":
            return DeleteNode(TENANT, ver, draw(st.sampled_from(RIDS)))
        case "-uid":
            return DeleteUid(TENANT, ver, draw(st.sampled_from(UIDS[1:])))
        case "edge":
            ends = draw(st.permutations(RIDS))
            return UpsertEdge(TENANT, ver, draw(st.sampled_from(["e1", "e2", "e3"])), "RUNS_ON", ends[0], ends[1])
        case "-edge":
            return DeleteEdge(TENANT, ver, draw(st.sampled_from(["e1", "e2", "e3"])))
        case _:
            subject = draw(st.sampled_from(RIDS))
            props = {"message": draw(st.sampled_from("mn")), "subject": subject}
            return UpsertEpisode(TENANT, ver, draw(st.sampled_from(["v1", "v2"])), subject, props, digest_of(props))


@st.composite
def worlds(draw: st.DrawFn, start: int = 0, most: int = 14) -> list[Mutation]:
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
