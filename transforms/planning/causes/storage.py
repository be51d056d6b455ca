"""Findings about what Pods mount: claims, volumes, ConfigMaps and Secrets."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from transforms.planning.causes.quantities import amount
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import RECENT, Object, World

_MOUNTS: Final = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_SUBJECT: Final = "volumes"
# What a comparison of a claim with a volume costs.
_COST: Final = 5
_NOT_FOUND: Final = ("not found", "notfound", "does not exist", "references non-existent")


def storage(world: World) -> Iterator[Finding]:
    for pod in world.of_kind("pod"):
        if pod.is_ready or pod.phase in ("Succeeded", "Failed"):
            continue
        yield from _mounts(world, pod)
        yield from _references(world, pod)
        yield from _claims(world, pod)


def _mounts(world: World, pod: Object) -> Iterator[Finding]:
    told = [one for one in world.about(pod.rid) if one.reason in _MOUNTS and world.now - one.at <= RECENT]
    if told:
        last = told[-1]
        w = weight("MOUNT_FAILED") if any(word in last.message for word in _NOT_FOUND) else 0.7
        yield Finding("MOUNT_FAILED", world.top(pod.rid), pod.rid, w, last.message, told[0].first, last.at, evidence=(last.eid, pod.rid))


def _references(world: World, pod: Object) -> Iterator[Finding]:
    """What no record has described counts as missing only where the agent reports its kind, and the Pod does not run without it."""
    if any(one.is_running for one in pod.containers):
        return
    for rid in world.mounted(pod.rid):
        kind, _, name = rid.split(":", 2)
        if world.is_missing(rid) and world.of_kind(kind):
            detail = f"{kind} {name} does not exist"
            w = weight("REFERENCE_MISSING")
            yield Finding("REFERENCE_MISSING", world.top(pod.rid), pod.rid, w, detail, pod.created, evidence=(pod.rid,))


def _claims(world: World, pod: Object) -> Iterator[Finding]:
    if pod.phase != "Pending":
        return
    for rid in world.mounted(pod.rid):
        claim = world.get(rid) if rid.startswith("persistentvolumeclaim:") else None
        if claim is None or claim.is_stub or claim.phase == "Bound":
            continue
        why = world.once(("why unbound", rid), partial(_why, world, claim))
        detail = f"{claim.title} is {claim.phase or 'unknown'}: {why}"
        evidence = (rid, pod.rid)
        yield Finding("CLAIM_UNBOUND", world.top(pod.rid), rid, weight("CLAIM_UNBOUND"), detail, claim.created, evidence=evidence)


def _why(world: World, claim: Object) -> str:
    """What keeps claim and volumes from agreeing, of the volume that it agrees with best."""
    named = claim.props.get("volume")
    one = world.get(f"persistentvolume::{named}") if named else None
    volumes = [one] if one is not None and not one.is_stub else [] if named else world.of_kind("persistentvolume")
    if not world.effort.affords(_SUBJECT, _COST * len(volumes)):
        return "too many volumes to compare it with"
    reasons = [_mismatches(claim, volume) for volume in volumes]
    if not reasons:
        return f"the volume {named} does not exist" if named else "there is no volume for it"
    best = min(reasons, key=lambda one: (len(one), one))
    return "; ".join(best) or "nothing has bound it yet"


def _mismatches(claim: Object, volume: Object) -> list[str]:
    found = []
    asked, has = claim.props.get("storage_request"), volume.props.get("capacity")
    more, most = amount(asked), amount(has)
    if more is not None and most is not None and more > most:
        found.append(f"it asks for {asked}, {volume.title} has {has}")
    modes = set(claim.props.get("access_modes") or ()) - set(volume.props.get("access_modes") or ())
    if modes:
        found.append(f"it asks for {', '.join(sorted(modes))}, {volume.title} has {', '.join(volume.props.get('access_modes') or ())}")
    classes = (claim.props.get("storage_class") or "", volume.props.get("storage_class") or "")
    if classes[0] != classes[1]:
        found.append(f"its class is {classes[0] or 'none'}, that of {volume.title} is {classes[1] or 'none'}")
    labels = claim.facts.get("labels")
    lacking = (
        [f"{key}={value}" for key, value in sorted(labels.items()) if f"{key}={value}" not in volume.labels]
        if isinstance(labels, dict)
        else []
    )
    if lacking:
        found.append(f"it asks for a volume with {', '.join(lacking)}")
    holder = volume.props.get("claim")
    if holder and holder != f"{claim.ns}/{claim.name}":
        found.append(f"{volume.title} belongs to {holder}")
    return found
