"""Custom resources: what one of an undeclared kind calls `replicas`, `node` or `status` may be anything.

The envelope's fields have the meaning and the type that Kubernetes' own kinds give them. In an object of a kind that is not
declared, a field of another type is no property, and no fault either.
"""

from typing import Any, Final

import msgspec

from transforms.model.identity import kind_token
from transforms.model.kinds import KIND_OF_TOKEN
from transforms.records.envelopes.types import Resource

# What every object must have as it is: who it is, since when, and who owns it.
_COMMON: Final = frozenset(
    {"op", "at", "kind", "name", "namespace", "uid", "apiVersion", "client_id", "cluster", "labels", "ownerRefs", "spec"}
)


class _Kind(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    api_version: str | None = None


_KIND: Final = msgspec.json.Decoder(_Kind).decode
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_DECODE: Final[dict[str, Any]] = {
    field.encode_name: msgspec.json.Decoder(field.type).decode
    for field in msgspec.structs.fields(Resource)
    if field.encode_name not in _COMMON
}


def without_foreign(text: bytes) -> bytes | None:
    """The envelope of a custom resource without the fields that are of another type there; None where it has none, or is none."""
    try:
        one = _KIND(text)
        fields = _FIELDS(text)
    except msgspec.DecodeError:
        return None
    if kind_token(one.kind, one.api_version or "") in KIND_OF_TOKEN:
        return None
    kept = {name: value for name, value in fields.items() if name not in _DECODE or _is_of_type(name, value)}
    return msgspec.json.encode(kept) if len(kept) < len(fields) else None


def _is_of_type(name: str, value: msgspec.Raw) -> bool:
    try:
        _DECODE[name](value)
    except msgspec.DecodeError:
        return False
    return True
