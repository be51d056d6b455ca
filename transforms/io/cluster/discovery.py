"""Which collections an API server has: of the kinds that the model declares, and of custom kinds that the operator names."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from transforms.io.cluster.api import ApiClient, ApiFault
from transforms.model.identity import kind_token
from transforms.model.kinds import KINDS, SCOPE_OF_TOKEN

# EndpointSlices say the same, and the API server warns of each list of Endpoints from 1.33 on.
LEFT_OUT: Final = frozenset({"Endpoints"})
_NEEDED: Final = frozenset({"list", "watch"})
_NOT_FOUND: Final = 404


class Collection(NamedTuple):
    """The objects of one kind. path: of the collection in all namespaces. resource: `plural` or `plural.group`."""

    kind: str
    api_version: str
    path: str
    resource: str

    @property
    def token(self) -> str:
        """The kind as rids spell it."""
        return kind_token(self.kind, self.api_version)


class _Resource(msgspec.Struct, frozen=True):
    name: str
    kind: str
    verbs: list[str] = []


class _Resources(msgspec.Struct, frozen=True):
    resources: list[_Resource] = []


class _Version(msgspec.Struct, frozen=True, rename="camel"):
    group_version: str


class _Group(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    preferred_version: _Version


class _Groups(msgspec.Struct, frozen=True):
    groups: list[_Group] = []


_READ_RESOURCES: Final = msgspec.json.Decoder(_Resources).decode
_READ_GROUPS: Final = msgspec.json.Decoder(_Groups).decode


def collections(api: ApiClient, kinds: frozenset[str], custom: Iterable[str]) -> list[Collection]:
    """The collections to watch, in a fixed order; ApiFault where the API server cannot be asked.

    kinds: names of declared kinds; an empty set means all but `LEFT_OUT`. custom: `plural.group`, or `*.group` for all of a group.
    """
    wanted = {one.name: one for one in KINDS if one.name in kinds or (not kinds and one.name not in LEFT_OUT)}
    patterns = [one.partition(".")[::2] for one in custom]
    groups = {"": "v1"} | {one.name: one.preferred_version.group_version for one in _READ_GROUPS(api.get("/apis")).groups}
    asked = {group for kind in wanted.values() for group in kind.groups} | {group for _, group in patterns}
    found: dict[str, Collection] = {}
    for group in sorted(asked & groups.keys()):
        for one in _collections_of(api, group, groups[group]):
            declared = wanted.get(one.kind)
            is_declared = declared is not None and one.token == declared.token
            is_custom = one.token not in SCOPE_OF_TOKEN and any(
                group == of and plural in ("*", one.resource.partition(".")[0]) for plural, of in patterns
            )
            # A kind that is in two groups of its own, such as Ingress long ago, is one kind: the newer group comes later in the alphabet.
            if is_declared or is_custom:
                found[one.token] = one
    return sorted(found.values())


def _collections_of(api: ApiClient, group: str, version: str) -> Iterator[Collection]:
    base = f"/apis/{version}" if group else f"/api/{version}"
    try:
        held = _READ_RESOURCES(api.get(base)).resources
    except ApiFault as fault:
        # A group goes when its last CustomResourceDefinition does.
        if fault.status == _NOT_FOUND:
            return
        raise
    for one in held:
        if "/" not in one.name and _NEEDED.issubset(one.verbs):
            yield Collection(one.kind, version, f"{base}/{one.name}", f"{one.name}.{group}" if group else one.name)


EVENTS: Final = Collection("Event", "v1", "/api/v1/events", "events")
