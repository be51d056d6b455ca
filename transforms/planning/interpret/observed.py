"""Episodes of what an object's record shows to be wrong, so that it is remembered once the object has recovered.

Each is called by the object, its life, the finding and the object's own time of transition, so that every record of the same state
means the same episode, and the greatest version holds (docs/adr/040).
"""

from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from transforms.model.graph import EPISODIC, FINDING
from transforms.model.identity import Rid
from transforms.planning.causes.ailing import ails
from transforms.planning.causes.pod_state import shown_by
from transforms.planning.causes.statuses import Json, conditions, containers
from transforms.planning.facts.mutation_template import MutationTemplate
from transforms.planning.facts.mutations import UpsertReferrer
from transforms.planning.facts.values import sealed
from transforms.records.record import from_microseconds

ETYPE: Final = "k8s.finding"
_KEY_BYTES: Final = 16
_MESSAGE_CHARACTERS: Final = 512
_MOST: Final = 8
_PRESSURES: Final = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")

Observed = tuple[str, str, int | None, str]


def observations(rid: Rid, uid: str, status: Json, props: dict[str, Any]) -> tuple[MutationTemplate, ...]:
    """The episodes that the record of an object shows; none for most."""
    look = _LOOKS.get(rid.kind)
    if look is None or not ails(rid.kind, status, props):
        return ()
    owner = next(iter(props.get("owners") or ()), "")
    return tuple(_episode(str(rid), uid, owner, *one) for one in list(look(status))[:_MOST])


def _episode(rid: str, uid: str, owner: str, name: str, what: str, since: int | None, detail: str) -> MutationTemplate:
    parts = "\x1f".join((rid, uid, name, what, "" if since is None else str(since)))
    began: datetime | None = None if since is None or since < 0 else from_microseconds(since)
    props: dict[str, Any] = {
        "etype": ETYPE,
        "severity_raw": "Warning",
        "severity": "WARNING",
        "reason": name,
        FINDING: name,
        "message": detail[:_MESSAGE_CHARACTERS],
        "subject": rid,
        **({"event_time": began} if began else {}),
        **({"owner": owner} if owner else {}),
    }
    kept, digest = sealed(props)
    key = f"finding:{blake2b(parts.encode(), digest_size=_KEY_BYTES).hexdigest()}"
    return MutationTemplate(UpsertReferrer, (EPISODIC.label, key, rid, kept, digest))


def _of_pod(status: Json) -> Iterator[Observed]:
    found = conditions(status)
    for one in shown_by(containers(status), found):
        # The number of restarts grows within one state.
        yield one.name, one.container, one.since, one.detail
    scheduled = found.get("PodScheduled")
    if scheduled is not None and scheduled.status == "False":
        yield "UNSCHEDULABLE", "", scheduled.since, scheduled.message


def _of_node(status: Json) -> Iterator[Observed]:
    found = conditions(status)
    ready = found.get("Ready")
    if ready is not None and ready.status != "True":
        yield "NODE_NOT_READY", "", ready.since, f"{ready.reason}: {ready.message}"
    for name in _PRESSURES:
        if name in found and found[name].status == "True":
            yield "NODE_PRESSURE", name, found[name].since, f"{name}: {found[name].message}"


_LOOKS: Final = {"pod": _of_pod, "node": _of_node}
