"""Leaving out the one kind of environment value that is ever read: an address, which makes `CALLS`."""

from typing import Any, Final, TypeVar

import msgspec

from transforms.records.specs.pod_parts import Variable

T = TypeVar("T")
_NO_VALUE: Final = msgspec.Raw()


def without_addresses(part: T) -> T:
    """A spec, or a part of one, in which every variable keeps its name and loses its value; the part itself where it has none."""
    if isinstance(part, Variable):
        return msgspec.structs.replace(part, value=_NO_VALUE)
    if isinstance(part, list):
        kept: Any = [without_addresses(one) for one in part]
        return part if all(one is before for one, before in zip(kept, part, strict=True)) else kept
    if isinstance(part, msgspec.Struct):
        fields = {name: getattr(part, name) for name in part.__struct_fields__}
        changed = {name: kept for name, value in fields.items() if (kept := without_addresses(value)) is not value}
        return msgspec.structs.replace(part, **changed) if changed else part
    return part
