"""What a resource record means: the whole state of an object, or its end."""

from typing import Any, Final

from transforms.model.graph import AILING, BARE
from transforms.model.identity import Rid, bare_of, is_cluster_scoped, kind_token, looks_like_uid, make_rid, parse_rid
from transforms.model.kinds import KIND_OF_TOKEN
from transforms.planning.causes.ailing import ails
from transforms.planning.causes.moments import created_at
from transforms.planning.facts.implied import implied_by
from transforms.planning.facts.mutation_template import MutationTemplate
from transforms.planning.facts.mutations import DeleteNode, DeleteUid, DeleteUnnamed, EndAbsent, EndSnapshot, Mutation, UpsertNode
from transforms.planning.facts.references import references
from transforms.planning.facts.selectors import terms_of
from transforms.planning.facts.values import identity, pairs_of, sealed, status_text
from transforms.planning.interpret.edge import is_kind_token
from transforms.planning.interpret.observed import observations
from transforms.planning.interpret.promoted import promoted
from transforms.records.envelopes.types import Manifest, Resource, Snapshot
from transforms.records.manifests import unpack
from transforms.records.record import at_time, microseconds
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason
from transforms.records.specs.addresses import without_addresses
from transforms.records.specs.parts import Spec
from transforms.records.specs.table import read_spec
from transforms.records.specs.traffic import NetworkPolicySpec, ServiceSpec

# What stands in the place of an address where there is none: of a headless Service, of a Pod that has none yet.
_NO_ADDRESS: Final = frozenset({"None", ""})


def resource_meaning(body: Resource, *, calls: bool = True) -> MutationTemplate:
    """calls: whether addresses in the environment of containers are kept, and make `CALLS` (docs/adr/061)."""
    if body.op == "DELETE" and not body.name:
        if not body.uid:
            raise Fault(Reason.MISSING_FIELD, "a DELETE with neither `name` nor `uid` names nothing")
        return MutationTemplate(DeleteUid, (identity("uid", body.uid),))
    if not body.name:
        raise Fault(Reason.MISSING_FIELD, "Object missing required field `name`")
    rid = make_rid(body.kind, body.namespace or "", body.name, body.api_version or "")
    text = identity("the object's identity", str(rid))
    if body.op == "DELETE":
        if not body.uid:
            return MutationTemplate(DeleteNode, (text,))
        return MutationTemplate(DeleteUid, (identity("uid", body.uid),), (MutationTemplate(DeleteUnnamed, (text,)),))
    props, digest = sealed(_resource_props(rid, body, calls=calls))
    uid = identity("uid", body.uid or "")
    return MutationTemplate(UpsertNode, (text, uid, props, digest), observations(rid, uid, body.status or {}, props))


def snapshot_mutation(client_id: str, ver: str, body: Snapshot) -> Mutation:
    """The end of a snapshot speaks for the time of its beginning, which is never later than its own."""
    assert body.began is not None
    began = at_time(ver, microseconds(body.began))
    return EndSnapshot(client_id, min(began, ver), kind_token(body.kind, body.api_version or ""))


def manifest_mutation(client_id: str, ver: str, body: Manifest) -> Mutation:
    """A manifest speaks for its own time."""
    return EndAbsent(client_id, ver, kind_token(body.kind, body.api_version or ""), body.part, unpack(body.alive, body.part))


def _resource_props(rid: Rid, body: Resource, *, calls: bool) -> dict[str, Any]:
    """The node's properties; one that is absent here is absent in the graph."""
    declared = KIND_OF_TOKEN.get(rid.kind)
    status = body.status or {}
    spec = read_spec(rid, body.spec)
    if not calls:
        spec = without_addresses(spec)
    props: dict[str, Any] = {
        "kind": declared.name if declared else body.kind,
        "ns": rid.namespace or None,
        "name": rid.name,
        "uid": body.uid or None,
        "api_version": body.api_version,
        "labels": pairs_of(body.labels),
        "selector": _selector(body, spec),
        "owners": sorted(f"{owner.kind}/{owner.name}" for owner in body.owner_refs or ()) or None,
        "node": body.node,
        "pod_ip": None if body.pod_ip in _NO_ADDRESS else body.pod_ip,
        "image": body.image,
        "replicas": body.replicas,
        "created": created_at(body.created),
        "changed": created_at(body.changed),
        "service_ips": sorted(set(body.service_ips or ()) - _NO_ADDRESS) or None,
        "implies": _implied(rid, body, spec),
        BARE: (bare_of(str(rid)) or None) if "." in rid.kind else None,
        "status": _status_text(status, declared.bulky if declared else ()),
    }
    if declared:
        props |= promoted(declared, status, spec)
    if ails(rid.kind, status, props):
        props[AILING] = True
    return {name: value for name, value in props.items() if value is not None}


def _implied(rid: Rid, body: Resource, spec: Spec | None) -> list[str] | None:
    found = implied_by(rid, body.node, body.owner_refs or (), references(rid, spec, body.labels or {}))
    for text in found or ():
        identity("the identity of a node, an owner or an object referred to", text)
    return found


def _selector(body: Resource, spec: Spec | None) -> list[str] | None:
    """What Pods are selected by, from the envelope's own field or from the spec."""
    if isinstance(spec, NetworkPolicySpec):
        return terms_of(spec.pod_selector) if spec.pod_selector else None
    if body.service_selector is None and isinstance(spec, ServiceSpec):
        return pairs_of(spec.selector)
    return pairs_of(body.service_selector)


def _status_text(status: dict[str, Any], bulky: tuple[str, ...]) -> str | None:
    kept = {key: value for key, value in status.items() if key not in bulky}
    return status_text(kept) if kept else None


def resource_tombstone(client_id: str, ver: str, raw_key: str) -> tuple[Mutation, ...]:
    """`kind:ns:name`, `kind::name` and `kind:name` name an object; `<uid>` and `kind:<uid>` name one life.

    `kind:x` where x looks like a uid may still be the name of a cluster-scoped object (Nodes are called so on
    some bare metal): both are then ended; neither can be something else.
    """
    rid = parse_rid(raw_key)
    if ":" in raw_key and (rid is None or not is_kind_token(rid.kind)):
        raise Fault(Reason.BAD_KEY, f"the key {shown(raw_key)} is not kind:ns:name, kind::name, kind:name, kind:<uid> or <uid>")
    if rid is None:
        return (DeleteUid(client_id, ver, identity("the key", raw_key)),)
    by_name = DeleteNode(client_id, ver, identity("the key", str(rid)))
    if rid.namespace or not looks_like_uid(rid.name) or raw_key.count(":") > 1:
        return (by_name,)
    by_uid = DeleteUid(client_id, ver, rid.name)
    return (by_uid, by_name) if is_cluster_scoped(rid.kind) else (by_uid,)
