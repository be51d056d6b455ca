"""Findings about Pods that no Node takes: why, as far as Nodes and the scheduler's message tell."""

import re
from collections.abc import Iterator
from typing import Final

from transforms.planning.causes.placement import Places, asks_for_nodes, listed, names_of, places_of, repelling
from transforms.planning.causes.quantities import amount
from transforms.planning.causes.statuses import Json, part
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import RECENT, Object, World

_MOST_RESOURCES: Final = 8
_INSUFFICIENT: Final = re.compile(r"Insufficient (cpu|memory|ephemeral-storage|pods|[a-z0-9./-]+)")


def scheduling(world: World) -> Iterator[Finding]:
    for pod in world.pending:
        message, since, evidence = _said(world, pod)
        if not evidence:
            continue
        workload = world.top(pod.rid)
        for name, w, detail in (("UNSCHEDULABLE", weight("UNSCHEDULABLE"), message), *_why(world, pod, message)):
            yield Finding(name, workload, pod.rid, w, detail, since, evidence=evidence)


def _said(world: World, pod: Object) -> tuple[str, int | None, tuple[str, ...]]:
    """The scheduler's message, since when, and where it says so; nothing where it has not spoken."""
    told = [one for one in world.about(pod.rid) if one.reason == "FailedScheduling" and world.now - one.at <= RECENT]
    scheduled = pod.conditions.get("PodScheduled")
    unfit = scheduled is not None and scheduled.status == "False"
    if not told and not unfit:
        return "", None, ()
    message = told[-1].message if told else ""
    if unfit and scheduled is not None and scheduled.message:
        message = message or scheduled.message
    since = scheduled.since if scheduled is not None and unfit else (told[0].first if told else None)
    return message, since, (pod.rid, *(one.eid for one in told[-1:]))


def _why(world: World, pod: Object, message: str) -> Iterator[tuple[str, float, str]]:
    facts = pod.facts
    places = places_of(world, facts)
    if places is not None:
        yield from _of_places(world, facts, places, message)
    if "anti-affinity" in message:
        yield "ANTI_AFFINITY", weight("ANTI_AFFINITY"), message
    yield from _requests(facts, places, message)


def _of_places(world: World, facts: Json, places: Places, message: str) -> Iterator[tuple[str, float, str]]:
    fitting, open_to = places.fitting, places.open_to
    if world.of_kind("node") and world.knows_all("node") and asks_for_nodes(facts) and not fitting:
        yield "NODE_SELECTOR_NO_MATCH", weight("NODE_SELECTOR_NO_MATCH"), f"it asks for {_asked(facts)}, which no node has"
    if fitting and not open_to:
        name = "PINNED_TO_CORDONED" if asks_for_nodes(facts) else "NODES_CORDONED"
        yield name, weight(name), f"{names_of(fitting)} are cordoned"
    elif open_to and not places.is_any_ready:
        yield "PINNED_TO_NOT_READY", weight("PINNED_TO_NOT_READY"), f"{names_of(open_to)} are not ready"
    yield from _taints(world, facts, places, message)


def _asked(facts: Json) -> str:
    selector = facts.get("selector") or {}
    terms = [f"{key}={value}" for key, value in sorted(selector.items())]
    for term in facts.get("affinity") or ():
        terms += [f"{key} {operator} {','.join(values)}".strip() for key, operator, values in term]
    return ", ".join(terms)


def _taints(world: World, facts: Json, places: Places, message: str) -> Iterator[tuple[str, float, str]]:
    """A taint is the cause where it keeps the Pod from every Node that it could have, control planes aside."""
    taints = repelling(world, facts, places)
    if taints:
        is_told = any(taint.partition(":")[0].partition("=")[0] in message for taint in taints)
        detail = f"it does not tolerate {listed(taints)} of {listed(places.workers)}"
        yield "TAINT_NOT_TOLERATED", weight("TAINT_NOT_TOLERATED") if is_told else 0.4, detail


def _requests(facts: Json, places: Places | None, message: str) -> Iterator[tuple[str, float, str]]:
    for resource in sorted(set(_INSUFFICIENT.findall(message)))[:_MOST_RESOURCES]:
        asked = requested(facts, resource)
        largest = places.largest(resource) if places is not None else None
        is_beyond = asked is not None and largest is not None and asked > largest
        is_known = asked is not None and largest is not None
        detail = f"it requests {asked:g} of {resource}, the largest node has {largest:g}" if is_known else message
        yield "REQUEST_TOO_LARGE", weight("REQUEST_TOO_LARGE") if is_beyond else 0.75, detail


def requested(facts: Json, resource: str) -> float | None:
    """What all containers of a Pod request together; None where none of them says."""
    found = [amount(part(one, "requests").get(resource)) for one in facts.get("containers") or ()]
    known = [one for one in found if one is not None]
    return sum(known) if known else None
