"""Mutations: what a record says about the graph, with the version that orders it.

Each mutation speaks for one aspect. For one aspect key, the mutation with the greatest `ver` holds; that is all
there is to order, and why any delivery order gives the same graph. `client_id` is a required field of every
mutation, so a write without a tenant cannot be expressed.
"""

from typing import Any, NamedTuple

import msgspec

from transforms.planning.facts.occurrence_set import union

AspectKey = tuple[str, str, str]


class ReferrerKey(NamedTuple):
    """A node that is no resource: its label and its key."""

    label: str
    key: str


class _Mutation(msgspec.Struct, frozen=True, array_like=True, tag_field="is"):
    client_id: str
    ver: str


class UpsertNode(_Mutation, frozen=True, array_like=True, tag="node"):
    """The whole state of one life of an object: what `rid` is while it is called `uid` ("" if unknown)."""

    rid: str
    uid: str
    props: dict[str, Any]
    digest: bytes

    @property
    def aspect(self) -> AspectKey:
        return ("life", self.rid, self.uid)


class DeleteNode(_Mutation, frozen=True, array_like=True, tag="-node"):
    """The object at `rid` is gone, whatever its uid."""

    rid: str

    @property
    def aspect(self) -> AspectKey:
        return ("rid", self.rid, "")


class DeleteUid(_Mutation, frozen=True, array_like=True, tag="-uid"):
    """The life called `uid` has ended; its rid is not known from the record."""

    uid: str

    @property
    def aspect(self) -> AspectKey:
        return ("uid", self.uid, "")


class DeleteUnnamed(_Mutation, frozen=True, array_like=True, tag="-unnamed"):
    """What `rid` was while its uid was not known has ended; lives that have a uid go on."""

    rid: str

    @property
    def aspect(self) -> AspectKey:
        return ("unnamed", self.rid, "")


class EndSnapshot(_Mutation, frozen=True, array_like=True, tag="snapshot"):
    """A full report of a kind is complete; `ver` is of the time when it began, `kind` as rids spell it."""

    kind: str

    @property
    def aspect(self) -> AspectKey:
        return ("kind", self.kind, "")


class EndAbsent(_Mutation, frozen=True, array_like=True, tag="absent"):
    """Of a kind, and within a part of it, these are alive at the time of `ver`, and nothing else; `alive` as `manifests.py` has it."""

    kind: str
    part: str
    alive: bytes

    @property
    def aspect(self) -> AspectKey:
        return ("manifest", self.kind, self.part)


class UpsertEdge(_Mutation, frozen=True, array_like=True, tag="edge"):
    """An explicit relationship of a topology type; source and target are rids."""

    edge_id: str
    type: str
    source: str
    target: str

    @property
    def aspect(self) -> AspectKey:
        return ("edge", self.edge_id, "")


class DeleteEdge(_Mutation, frozen=True, array_like=True, tag="-edge"):
    """The explicit relationship called `edge_id` is gone."""

    edge_id: str

    @property
    def aspect(self) -> AspectKey:
        return ("edge", self.edge_id, "")


class UpsertReferrer(_Mutation, frozen=True, array_like=True, tag="referrer"):
    """The whole state of a node that refers to a resource: an episode, a scrape target, a rule.

    subject: the rid that it is about, as the record names it, "" for none.
    seen: for an episode that counts, what this record saw (`seen.py`); its count is not among the properties. b"" else.
    subject_uid: where the scope of the subject's kind is not known: an object of this uid may show that it is cluster-scoped.
    """

    label: str
    key: str
    subject: str
    props: dict[str, Any]
    digest: bytes
    seen: bytes = b""
    subject_uid: str = ""

    @property
    def at(self) -> ReferrerKey:
        return ReferrerKey(self.label, self.key)

    @property
    def aspect(self) -> AspectKey:
        return (self.label, self.key, "")


class DeleteReferrer(_Mutation, frozen=True, array_like=True, tag="-referrer"):
    """The scrape target or rule is gone."""

    label: str
    key: str

    @property
    def at(self) -> ReferrerKey:
        return ReferrerKey(self.label, self.key)

    @property
    def aspect(self) -> AspectKey:
        return (self.label, self.key, "")


Mutation = (
    UpsertNode
    | DeleteNode
    | DeleteUid
    | DeleteUnnamed
    | EndSnapshot
    | EndAbsent
    | UpsertEdge
    | DeleteEdge
    | UpsertReferrer
    | DeleteReferrer
)


def with_seen_of(winner: Mutation, loser: Mutation) -> Mutation:
    """The mutation that holds of two on one aspect; where they count, with what both saw."""
    if isinstance(winner, UpsertReferrer) and isinstance(loser, UpsertReferrer) and loser.seen:
        both = union(winner.seen, loser.seen)
        return winner if both == winner.seen else msgspec.structs.replace(winner, seen=both)
    return winner
