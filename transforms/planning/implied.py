"""What an object's own state implies about its relationships, as it is kept on the node.

An object implies RUNS_ON by its node and CONTROLS by its owner references. What it implies is written in the
property `implies`, so that it can be judged again whenever the object at the other end dies or returns, without the
record. SELECTS needs two objects and is judged from their properties (`selects.py`).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from transforms.model.graph import CONTROLS, RUNS_ON
from transforms.model.identity import Rid, kind_token, make_rid
from transforms.model.kinds import SCOPE_OF_TOKEN, Scope
from transforms.planning.stored import Triple
from transforms.records.envelopes import OwnerRef

PROPERTY: Final = "implies"
_SEPARATOR: Final = "\x1f"
_POD: Final = "pod"
_NODE: Final = "Node"


class Implied(NamedTuple):
    """A relationship of `type` with the object at `other`.

    owner_uid: set where the scope of the owner's kind is not known: `other` is then a guess, in the child's own
    namespace, until an object of this uid shows that it is cluster-scoped.
    """

    type: str
    other: str
    owner_uid: str = ""

    def text(self) -> str:
        return _SEPARATOR.join(self)

    def triple(self, rid: str) -> Triple:
        """Where the relationship stands: a pod runs on its node, an owner controls its child."""
        return Triple(self.type, rid, self.other) if self.type == RUNS_ON.type else Triple(self.type, self.other, rid)


def parse_implied(texts: Iterable[str]) -> list[Implied]:
    return [Implied(*text.split(_SEPARATOR)) for text in texts]


def implied_by(rid: Rid, node: str | None, owners: Iterable[OwnerRef]) -> list[str] | None:
    """What an object implies, sorted; None for nothing."""
    found = {_owner(rid, owner).text() for owner in owners}
    if rid.kind == _POD and node:
        found.add(Implied(RUNS_ON.type, str(make_rid(_NODE, "", node))).text())
    return sorted(found) or None


def _owner(child: Rid, owner: OwnerRef) -> Implied:
    """An owner lives in its child's namespace or is cluster-scoped; the model tells which, else the owner's uid may."""
    token = kind_token(owner.kind, owner.api_version)
    scope = SCOPE_OF_TOKEN.get(token)
    namespace = "" if scope is Scope.CLUSTER else child.namespace
    uid = (owner.uid or "") if scope is None and namespace else ""
    return Implied(CONTROLS.type, str(Rid(token, namespace, owner.name)), uid)
