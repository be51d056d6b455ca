"""A Kubernetes object's state, or a marker of a snapshot of many: the text of a record becomes a body that is valid, or a fault."""

from typing import Final

import msgspec

from transforms.records.envelopes.custom import without_foreign
from transforms.records.envelopes.types import Body, Filtered, Resource, Snapshot
from transforms.records.rejects import Fault, Reason

_RESOURCE: Final = msgspec.json.Decoder(Resource).decode
_SNAPSHOT: Final = msgspec.json.Decoder(Snapshot).decode
_MARKER: Final = b"SNAPSHOT_"


def parse_resource(text: bytes) -> Body:
    """An object, or a marker of a snapshot of objects."""
    try:
        return _RESOURCE(text)
    except msgspec.ValidationError:
        # Markers are rare, and so are custom resources that mean something else by our names: nobody else pays for them.
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
