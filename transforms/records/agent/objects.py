"""From an object as the API server gives it to the record that the agent writes: what the job reads of it, and nothing else.

The value is the object in Kubernetes' own shape, cut down to the fields that the job's own types declare, and redacted. So no value of a
Secret or ConfigMap, no environment value, no argument and no annotation can be in it: they are never encoded.
"""

from typing import Any, Final, NamedTuple

import msgspec

from transforms.model.identity import Rid, kind_token
from transforms.model.kinds import KIND_OF_TOKEN
from transforms.model.limits import RECORD_BYTES
from transforms.records.agent.keys import clean_rid
from transforms.records.redaction.text import redact_tokens
from transforms.records.redaction.tree import TooSuspicious, is_suspicious, redact_label, redact_tree
from transforms.records.rejects import Fault
from transforms.records.specs.addresses import without_addresses
from transforms.records.specs.parts import Spec
from transforms.records.specs.pod_facts import is_address, read_of_probe
from transforms.records.specs.pod_parts import Container, Variable
from transforms.records.specs.table import read_spec
from transforms.records.wrappers.kubernetes import KubernetesObject, changed_at, read_object, spec_with_siblings

# A producer's own limit counts the key and the frame of a batch too.
# What is left out of an object that is larger than a record may be, in this order.
VALUE_BYTES: Final = RECORD_BYTES - 16 * 1024
_LARGE_PARTS: Final = ("status", "spec")


class StateRecord(NamedTuple):
    """An object as a record.

    rid, uid: its identity, as the graph has it. version: its resourceVersion. value: the record's value.
    is_cut: it was too large, or held too much that looks secret, so that its status or spec was left out.
    """

    rid: str
    uid: str
    version: str
    value: bytes
    is_cut: bool = False


def state_record(text: bytes | msgspec.Raw, kind: str, api_version: str, *, calls: bool = True) -> StateRecord:
    """The record of an object; msgspec's errors for what is no object.

    kind, api_version: of the collection that it comes from; the items of a list do not name them.
    calls: whether values of the environment that are only an address are in it.
    """
    found = read_object(text, kind, api_version)
    metadata = found.metadata
    rid = clean_rid(kind, metadata.namespace or "", metadata.name or "", api_version)
    body = _body(found, bytes(text), kind, api_version, calls=calls)
    value, is_cut = _fitting(body)
    return StateRecord(rid, redact_tokens(metadata.uid or ""), metadata.resource_version or "", value, is_cut)


def _body(found: KubernetesObject, text: bytes, kind: str, api_version: str, *, calls: bool) -> dict[str, Any]:
    metadata, token = found.metadata, kind_token(kind, api_version)
    body: dict[str, Any] = {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": _without_none(
            {
                "name": metadata.name,
                "namespace": metadata.namespace,
                "uid": metadata.uid,
                "creationTimestamp": metadata.creation_timestamp,
                "managedFields": _changed(token, metadata.managed_fields),
                "labels": metadata.labels,
                "ownerReferences": metadata.owner_references and [_owner(one) for one in metadata.owner_references],
            }
        ),
        "spec": _spec(found, text, token, calls=calls),
        "status": _status(found, token),
    }
    return _without_none(body)


def _changed(token: str, managed: msgspec.Raw) -> list[dict[str, Any]] | None:
    """When the object was changed, and nothing of what was."""
    at = changed_at(token, managed)
    return [{"time": at}] if at else None


def _owner(reference: dict[str, Any]) -> dict[str, Any]:
    return {name: reference[name] for name in ("apiVersion", "kind", "name", "uid") if name in reference}


def _spec(found: KubernetesObject, text: bytes, token: str, *, calls: bool) -> dict[str, Any] | None:
    """What the job reads of the spec, of fields beside it, and of those that it lifts out; an empty spec means something, too."""
    try:
        declared = read_spec(Rid(token, "", ""), spec_with_siblings(found, text, token))
        spec = plain(declared if calls else without_addresses(declared)) if declared is not None else {}
        lifted = found.lifted(token)
    except Fault:
        # A kind that declares it otherwise than Kubernetes does; the rest of the object still counts.
        return None
    return _merged(spec, lifted) if declared is not None or lifted else None


def _merged(spec: dict[str, Any], lifted: dict[str, Any]) -> dict[str, Any]:
    """Both; lists are joined entry by entry, as a Pod's containers are."""
    for name, value in lifted.items():
        held = spec.get(name)
        if isinstance(value, list) and isinstance(held, list):
            spec[name] = [{**one, **more} if isinstance(one, dict) else more for one, more in zip(held, value, strict=False)] + held[
                len(value) :
            ]
        elif value is not None:
            spec[name] = value
    return spec


def _status(found: KubernetesObject, token: str) -> dict[str, Any] | None:
    if not isinstance(found.status, dict):
        return None
    declared = KIND_OF_TOKEN.get(token)
    bulky = declared.bulky if declared else ()
    return {name: value for name, value in found.status.items() if name not in bulky} or None


def plain(value: Any) -> Any:
    """A declared part as JSON has it, without what is absent; of values that are kept as undecoded text only the names stay."""
    if isinstance(value, Spec):
        held = ((field.encode_name, _read_of(value, field.name)) for field in msgspec.structs.fields(value))
        return {name: plain(one) for name, one in held if one is not None}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: None if isinstance(one, msgspec.Raw) else plain(one) for name, one in value.items()}
    return value


def _read_of(part: Spec, name: str) -> Any:
    """A field, or what the job reads of it: of a variable an address alone, of a probe how and where it asks."""
    value = getattr(part, name)
    if isinstance(part, Container) and name.endswith("_probe"):
        return read_of_probe(value)
    if isinstance(value, msgspec.Raw):
        return msgspec.json.decode(value) if isinstance(part, Variable) and is_address(value) else None
    return value


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _fitting(body: dict[str, Any]) -> tuple[bytes, bool]:
    """The value, redacted and within the limit of a record, and whether something was left out for that."""
    is_cut = False
    value = msgspec.json.encode(body)
    if is_suspicious(value):
        try:
            body = _redacted(body)
        except TooSuspicious:
            body, is_cut = {name: one for name, one in body.items() if name not in _LARGE_PARTS}, True
            body = _redacted(body)
        value = msgspec.json.encode(body)
    for part in _LARGE_PARTS:
        if len(value) > VALUE_BYTES and part in body:
            del body[part]
            value, is_cut = msgspec.json.encode(body), True
    return value, is_cut


def _redacted(body: dict[str, Any]) -> dict[str, Any]:
    """Names lose tokens alone, or the job would look for another object; everything else is redacted as the job would."""
    metadata = body["metadata"]
    labels, owners = metadata.get("labels"), metadata.get("ownerReferences")
    cleaned = {name: redact_tokens(value) if isinstance(value, str) else value for name, value in metadata.items()}
    if isinstance(labels, dict):
        cleaned["labels"] = {redact_tokens(name): redact_label(name, value) for name, value in labels.items()}
    if owners:
        cleaned["ownerReferences"] = [{name: redact_tokens(value) for name, value in one.items()} for one in owners]
    rest: dict[str, Any] = {name: redact_tree(body[name]) for name in _LARGE_PARTS if name in body}
    return {**body, "metadata": cleaned, **rest}
