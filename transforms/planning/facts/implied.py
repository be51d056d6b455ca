"""What an object's own state implies about its relationships, as it is kept on the node.

An object implies RUNS_ON by its node, CONTROLS by its owner references and more by what its spec refers to
(`references.py`). What it implies is written in the property `implies`, so that it can be judged again whenever the object at
the other end dies or returns, without the record. SELECTS needs two objects and is judged from their properties (`selects.py`).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from transforms.model.graph import CONTROLS, RUNS_ON
from transforms.model.identity import Rid, kind_token, make_rid
from transforms.model.kinds import SCOPE_OF_TOKEN, Scope
from transforms.planning.facts.references import Reference
from transforms.planning.facts.stored import Triple
from transforms.records.envelopes.types import OwnerRef
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason

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
        """Where the relationship stands: an owner controls its child; all others lead from the object that implies them."""
        return Triple(self.type, self.other, rid) if self.type == CONTROLS.type else Triple(self.type, rid, self.other)


def parse_implied(texts: Iterable[str]) -> list[Implied]:
    return [Implied(*text.split(_SEPARATOR)) for text in texts]


def implied_by(rid: Rid, node: str | None, owners: Iterable[OwnerRef], refers: Iterable[Reference] = ()) -> list[str] | None:
    """What an object implies, sorted; None for nothing. Raises Fault for a name that no object can have."""
    found = {_owner(rid, owner) for owner in owners} | {Implied(*reference) for reference in refers}
    if rid.kind == _POD and node:
        found.add(Implied(RUNS_ON.type, str(make_rid(_NODE, "", node))))
    for one in found:
        if any(_SEPARATOR in part for part in one):
            raise Fault(Reason.BAD_VALUE, f"{shown(one.other)} is named, which no object can be called; a name holds no control characters")
    return sorted(one.text() for one in found) or None


def _owner(child: Rid, owner: OwnerRef) -> Implied:
    """An owner lives in its child's namespace or is cluster-scoped; the model tells which, else the owner's uid may."""
    token = kind_token(owner.kind, owner.api_version)
    scope = SCOPE_OF_TOKEN.get(token)
    namespace = "" if scope is Scope.CLUSTER else child.namespace
    uid = (owner.uid or "") if scope is None and namespace else ""
    return Implied(CONTROLS.type, str(Rid(token, namespace, owner.name)), uid)
