"""A Kubernetes object's state, a marker of a snapshot, or a manifest: the text of a record becomes a valid body, or a fault."""

from typing import Final

import msgspec

from transforms.records.envelopes.custom import without_foreign
from transforms.records.envelopes.types import Body, Filtered, Manifest, Resource, Snapshot
from transforms.records.manifests import is_part, unpack
from transforms.records.rejects import Fault, Reason

_RESOURCE: Final = msgspec.json.Decoder(Resource).decode
_SNAPSHOT: Final = msgspec.json.Decoder(Snapshot).decode
_MANIFEST: Final = msgspec.json.Decoder(Manifest).decode
_MARKER: Final = b"SNAPSHOT_"
_ALIVE: Final = b'"MANIFEST"'


def parse_resource(text: bytes) -> Body:
    """An object, or a marker of a snapshot of objects."""
    try:
        return _RESOURCE(text)
    except msgspec.ValidationError:
        # Markers are rare, and so are custom resources that mean something else by our names: nobody else pays for them.
        if _ALIVE in text and (manifest := _manifest(text)) is not None:
            return manifest
        if _MARKER not in text:
            understood = without_foreign(text)
            if understood is None:
                raise
            return _RESOURCE(understood)
    marker = _SNAPSHOT(text)
    if marker.op == "SNAPSHOT_BEGIN":
        return Filtered(marker.client_id, marker.cluster, is_control=True)
    if marker.began is None:
        raise Fault(Reason.MISSING_FIELD, "a SNAPSHOT_END without `began` ends nothing; give it the `at` of its SNAPSHOT_BEGIN")
    if marker.began > marker.at:
        raise Fault(Reason.BAD_TIME, "a SNAPSHOT_END whose `began` is later than its `at`; give it the `at` of its SNAPSHOT_BEGIN")
    return marker


class _Op(msgspec.Struct, frozen=True):
    op: str


_OP: Final = msgspec.json.Decoder(_Op).decode


def _manifest(text: bytes) -> Manifest | None:
    """The manifest; None where the word is something else's. Fault where its entries are none."""
    if _OP(text).op != "MANIFEST":
        return None
    found = _MANIFEST(text)
    if not is_part(found.part):
        raise Fault(Reason.BAD_VALUE, "`part` of a MANIFEST is neither empty nor one or two lower-case hexadecimal digits")
    try:
        unpack(found.alive, found.part)
    except ValueError as error:
        raise Fault(Reason.BAD_VALUE, f"`alive` of a MANIFEST: {error}") from None
    return found
