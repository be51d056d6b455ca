"""One name for one object: the `rid`, however the record spells it.

`rid = kind:namespace:name`, the kind in lower case, `kind::name` when cluster-scoped. A kind outside the API groups that
Kubernetes has it in is `kind.group` (`service.serving.knative.dev`), and so is every kind that Kubernetes has not
(`gateway.networking.istio.io`). Source: the data contract, section "Graph".

Who names no group names the kind of Kubernetes' own, where there is one. Any other is *loose*: it stands for the object of that
kind, namespace and name whose group is known otherwise (`planning/names.py`, docs/adr/024).
"""

from typing import Final, NamedTuple

from transforms.model.kinds import (
    COLON_NAMED_TOKENS,
    GENERIC_LABEL,
    HOME_GROUPS_OF_TOKEN,
    KIND_OF_TOKEN,
    SCOPE_OF_TOKEN,
    Scope,
)

# A metadata.uid as API servers make them: an RFC 4122 UUID, or the bare hash that mirror Pods carry.
_UUID_PARTS: Final = [8, 4, 4, 4, 12]
_HASH_CHARACTERS: Final = 32
_HEX: Final = "0123456789abcdef"

# How a rid spells the group that has no name, for a kind that Kubernetes has in another.
CORE: Final = "core"


class Rid(NamedTuple):
    """An object's identity within its tenant, taken apart."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}:{self.name}"


def kind_token(kind: str, api_version: str = "") -> str:
    """The kind as a rid spells it; `api_version` is `group/version`, `version` for the core group, or "".

    API groups without a dot are Kubernetes' own: what it has not is named without one there.
    """
    token = kind.lower()
    if not api_version:
        return token
    group = api_version.rpartition("/")[0].lower()
    home = HOME_GROUPS_OF_TOKEN.get(token)
    if "." not in group if home is None else group in home:
        return token
    return f"{token}.{group or CORE}"


def bare_of(rid: str) -> str:
    """The rid as who names no group names the object; "" where that would be an object of Kubernetes' own, or the rid has no group."""
    if rid[: rid.find(":")] in SCOPE_OF_TOKEN:
        return ""
    kind, _, rest = rid.partition(":")
    token, dot, _ = kind.partition(".")
    return f"{token}:{rest}" if dot and token not in SCOPE_OF_TOKEN else ""


def is_loose(rid: str) -> bool:
    """True where the rid has neither an API group nor a kind of Kubernetes' own."""
    kind = rid[: rid.find(":")]
    return kind not in SCOPE_OF_TOKEN and "." not in kind


def make_rid(kind: str, namespace: str, name: str, api_version: str = "") -> Rid:
    """The identity of an object; a namespace given for a cluster-scoped kind does not count."""
    token = kind_token(kind, api_version)
    if SCOPE_OF_TOKEN.get(token) is Scope.CLUSTER:
        namespace = ""
    return Rid(token, namespace, name)


def parse_rid(text: str) -> Rid | None:
    """The object that `kind:ns:name`, `kind::name` or `kind:name` names; None when it is none of these. A kind may have its group.

    Split at most twice: names may hold colons. Those of cluster-scoped RBAC objects do: `clusterrole:system:node`.
    """
    kind, colon, rest = text.partition(":")
    kind, dot, group = kind.partition(".")
    api_version = f"{'' if group.lower() == CORE else group}/" if dot else ""
    namespace, second, name = rest.partition(":")
    if not second or (namespace and kind_token(kind, api_version) in COLON_NAMED_TOKENS):
        namespace, name = "", rest
    if not (colon and kind and name):
        return None
    return make_rid(kind, namespace, name, api_version)


def label_of(rid: str) -> str:
    """The label that a rid's node bears beside `:Resource`, from the closed map; "" for an undeclared kind."""
    declared = KIND_OF_TOKEN.get(rid.partition(":")[0])
    return declared.name if declared else GENERIC_LABEL


def looks_like_uid(text: str) -> bool:
    """True when the text has the shape of a `metadata.uid`."""
    if len(text) == _HASH_CHARACTERS:
        return not text.strip(_HEX)
    parts = text.split("-", len(_UUID_PARTS))
    return [len(part) for part in parts] == _UUID_PARTS and not "".join(parts).lower().strip(_HEX)


def is_cluster_scoped(token: str) -> bool:
    """True when the kind is known to be cluster-scoped; False for namespaced and for unknown kinds."""
    return SCOPE_OF_TOKEN.get(token) is Scope.CLUSTER
