"""What is taken from an object's `spec`, kind by kind: one small type for each kind that declares any.

`spec` is as Kubernetes has it; what Kubernetes keeps beside `spec` (a ConfigMap's `data`, an EndpointSlice's `endpoints`) is
expected in it too (docs/records.md). Decoding validates: an absent or null field is fine, a mistyped one is a fault, and what is
not declared is skipped. Of ConfigMaps and Secrets the names of their keys are read, their values are not.

Properties have the names under which `model/kinds.py` lists them; None or an empty list means that there is none.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from transforms.model.identity import Rid
from transforms.records.json_text import with_whole_numbers
from transforms.records.rejects import Fault, Reason
from transforms.records.specs import storage, traffic, workloads
from transforms.records.specs.parts import Spec

_MODULES: Final = (storage, traffic, workloads)


def _specs() -> Iterator[type[Spec]]:
    """Every class that names the kind whose spec it reads."""
    for one in (one for module in _MODULES for one in vars(module).values()):
        if isinstance(one, type) and issubclass(one, Spec) and one.of_kind:
            yield one


SPEC_OF_TOKEN: Final = {spec.of_kind.lower(): spec for spec in _specs()}
_DECODERS: Final = {token: msgspec.json.Decoder(spec).decode for token, spec in SPEC_OF_TOKEN.items()}
_NO_SPEC: Final = (b"", b"null")


def read_spec(rid: Rid, text: msgspec.Raw) -> Spec | None:
    """What is taken from the spec of an object; None where it has none, or is of a kind that declares nothing.

    Raises Fault where a field has another type than Kubernetes gives it; the message holds no value of a Secret.
    """
    decode = _DECODERS.get(rid.kind)
    if decode is None or bytes(text) in _NO_SPEC:
        return None
    try:
        try:
            return decode(text)
        except msgspec.ValidationError:
            return decode(with_whole_numbers(bytes(text)))
    except msgspec.DecodeError as error:
        raise Fault(Reason.WRONG_TYPE, f"`spec`: {error}") from None
