"""What the specs of several kinds have in common."""

from typing import ClassVar

import msgspec

from transforms.records.envelopes.types import ApiVersion, KindName, Namespace


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    """The base of all: a part of a spec, of which everything may be absent.

    of_kind: the kind whose spec the class reads, as Kubernetes writes it; "" for a part.
    """

    of_kind: ClassVar[str] = ""


class Named(Spec, frozen=True):
    """A reference to an object of a kind that its place tells; the API allows it to name nothing."""

    name: str | None = None


class TargetReference(Spec, frozen=True):
    kind: KindName | None = None
    namespace: Namespace | None = None
    name: str | None = None
    api_version: ApiVersion | None = None
