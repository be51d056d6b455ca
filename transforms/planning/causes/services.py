"""Findings about Services and about addresses in environments: selectors, ports, protocols, names."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Final

from transforms.planning.causes.admission import full_quota
from transforms.planning.causes.blame import Blame
from transforms.planning.causes.probes import exposed_ports
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import Object, World

_NEAR: Final = 0.75
_LONGEST: Final = 253
_OF_SERVICES: Final = ("services", "count/services", "services.loadbalancers", "services.nodeports")


def services(world: World, blame: Blame) -> Iterator[Finding]:
    for service in world.of_kind("service"):
        if service.props.get("selector"):
            yield from _selector(world, blame, service)
            yield from _ports(world, blame, service)
    yield from _addresses(world, blame)


def workload_of(world: World, service: Object) -> str:
    """The workload that a Service counts as: the one of the Pods that it selects, of its name, or that its selector nearly matches."""
    known = world.behind.get(service.rid)
    if known is None:
        known = world.behind[service.rid] = _workload_of(world, service)
    return known


def _workload_of(world: World, service: Object) -> str:
    tops = sorted({world.top(pod.rid) for pod in world.selected(service.rid)})
    if tops:
        return tops[0]
    wanted = set(service.props.get("selector") or ())
    here = world.workloads_in(service.ns)
    templated = [one for one in here if wanted and wanted <= _labels(world, one)]
    named = [one for one in here if one.name == service.name]
    near = [one for one in here if _is_near_selector(wanted, _labels(world, one))]
    return next((one.rid for found in (templated, named, near) for one in found), service.rid)


def _labels(world: World, workload: Object) -> set[str]:
    known = world.labels_of.get(workload.rid)
    if known is None:
        known = world.labels_of[workload.rid] = _labels_of(world, workload)
    return known


def _labels_of(world: World, workload: Object) -> set[str]:
    labels = world.template(workload.rid).get("labels")
    found = {f"{key}={value}" for key, value in labels.items()} if isinstance(labels, dict) else set()
    for pod in world.pods_of(workload.rid)[:1]:
        found |= pod.labels
    return found


def _is_near_selector(wanted: set[str], labels: set[str]) -> bool:
    """Whether each wanted pair is there with a value that differs little, or under another key."""
    values = dict(one.split("=", 1) for one in sorted(labels) if "=" in one)
    pairs = [one.split("=", 1) for one in sorted(wanted) if "=" in one]
    return bool(pairs) and all(is_near(value, values.get(key, "")) or value in values.values() for key, value in pairs)


def is_near(one: str, other: str) -> bool:
    """Whether two names differ by little, as a slip of the pen makes them."""
    if one == other:
        return bool(one)
    # Two names share at most the shorter one; most pairs end here. Names of Kubernetes are no longer, and a comparison is quadratic.
    shorter, longer = sorted((len(one), len(other)))
    return longer <= _LONGEST and 2 * shorter >= _NEAR * (shorter + longer) and _is_near(one, other)


@lru_cache(maxsize=1 << 16)
def _is_near(one: str, other: str) -> bool:
    return SequenceMatcher(None, one, other).ratio() >= _NEAR


def _selector(world: World, blame: Blame, service: Object) -> Iterator[Finding]:
    wanted = set(service.props.get("selector") or ())
    here = world.workloads_in(service.ns)
    yield from _unready(world, service)
    if world.selected(service.rid) or not here or any(wanted <= _labels(world, one) for one in here):
        return
    blamed = blame.of(service)
    near = [one for one in here if one.name == service.name or _is_near_selector(wanted, _labels(world, one))]
    is_known = bool(blamed or near or world.callers_of(service.rid) or _callers(world, service))
    detail = f"its selector {', '.join(sorted(wanted))} matches no pod"
    if near:
        detail += f"; those of {near[0].title} have {', '.join(sorted(_labels(world, near[0])))}"
    evidence = (service.rid, *(one.episode.eid for one in blamed[-3:]))
    w = weight("SERVICE_SELECTS_NOTHING") if is_known else 0.3
    yield Finding("SERVICE_SELECTS_NOTHING", workload_of(world, service), service.rid, w, detail, _first(blamed), evidence=evidence)


def _unready(world: World, service: Object) -> Iterator[Finding]:
    selected = world.selected(service.rid)
    is_told = any("Ready" in pod.conditions for pod in selected) or (not selected and world.about_pods(service.ns))
    if is_told and not any(pod.is_ready for pod in selected):
        detail = f"none of its {len(selected)} pods is ready" if selected else "it has no pod"
        yield Finding("NO_READY_ENDPOINT", workload_of(world, service), service.rid, 0.3, detail, evidence=(service.rid,))


def _callers(world: World, service: Object) -> list[str]:
    """Workloads whose environment names the Service."""
    return sorted(rid for rid, calls in world.calls.items() if any(one.service == service.rid for one in calls))


def _ports(world: World, blame: Blame, service: Object) -> Iterator[Finding]:
    selected = world.selected(service.rid)
    exposed: set[int] = set()
    names: set[str] = set()
    protocols: set[tuple[int, str]] = set()
    for pod in selected:
        numbers, named = exposed_ports(pod.facts)
        exposed |= numbers
        names |= named
        protocols |= {(one[0], one[1]) for container in pod.spec_containers() for one in container.get("ports") or () if len(one) > 1}
    if not exposed:
        return
    blamed = blame.of(service)
    for port, protocol, target, _name in _declared(service):
        evidence = (service.rid, *(one.episode.eid for one in blamed[-3:]))
        is_named = isinstance(target, str) and not target.isdecimal()
        number = int(target) if isinstance(target, str) and target.isdecimal() else target
        group = workload_of(world, service)
        if (is_named and target not in names) or (not is_named and number not in exposed):
            w = weight("TARGET_PORT_UNKNOWN") if is_named or _blames(blamed, port) else 0.2
            detail = f"its port {port} leads to {target}, its pods expose {', '.join(map(str, sorted(exposed)))}"
            yield Finding("TARGET_PORT_UNKNOWN", group, service.rid, w, detail, _first(blamed), evidence=evidence)
        elif not is_named and (number, protocol) not in protocols:
            w = weight("PROTOCOL_MISMATCH") if _blames(blamed, port) else 0.55
            has = ", ".join(sorted(kind for one, kind in protocols if one == number))
            detail = f"its port {port} is {protocol}, that of the container is {has}"
            yield Finding("PROTOCOL_MISMATCH", group, service.rid, w, detail, _first(blamed), evidence=evidence)


def _first(blamed: list[Any]) -> int | None:
    """When its callers first failed; the mismatch itself has no time."""
    return min((one.episode.at for one in blamed), default=None)


def _blames(blamed: list[Any], port: Any) -> bool:
    return any(one.port in (0, port) for one in blamed)


def _declared(service: Object) -> list[list[Any]]:
    ports = service.facts.get("ports")
    return [one for one in ports if isinstance(one, list) and len(one) == 4] if isinstance(ports, list) else []  # noqa: PLR2004


def _addresses(world: World, blame: Blame) -> Iterator[Finding]:
    missing: dict[str, list[str]] = {}
    for workload, calls in sorted(world.calls.items()):
        for call in calls:
            service = world.get(call.service)
            if service is not None and not service.is_stub:
                yield from _wrong_port(blame, workload, call, service)
            elif call.ns in world.namespaces_with_services:
                missing.setdefault(call.service, []).append(workload)
                yield from _unknown(world, blame, workload, call)
    for rid, callers in sorted(missing.items()):
        yield from _missing(world, rid, callers)


def _wrong_port(blame: Blame, workload: str, call: Any, service: Object) -> Iterator[Finding]:
    ports = [one[0] for one in _declared(service)]
    if not ports or call.port in ports or service.facts.get("headless"):
        return
    blamed = [one for one in blame.of(service) if one.port in (0, call.port)]
    w = weight("ADDRESS_WRONG_PORT") if blamed else 0.6
    detail = f"{call.variable} asks port {call.port} of {service.title}, which has {', '.join(map(str, sorted(ports)))}"
    evidence = (workload, service.rid, *(one.episode.eid for one in blamed[-3:]))
    yield Finding("ADDRESS_WRONG_PORT", workload, workload, w, detail, evidence=evidence)


def _unknown(world: World, blame: Blame, workload: str, call: Any) -> Iterator[Finding]:
    ns, name = call.service.split(":", 2)[1:]
    near = [one for one in world.services_in(ns) if one.name != name and is_near(one.name, name)]
    blamed = blame.of_missing(ns, name)
    if any(one.name == name for one in world.workloads_in(ns)):
        w = 0.15
    else:
        w = (0.15, 0.75, weight("ADDRESS_UNKNOWN"))[bool(near) + bool(blamed)]
    detail = f"{call.variable} names the service {name}, which does not exist"
    if near:
        detail += f"; {near[0].title} does"
    evidence = (workload, *(one.episode.eid for one in blamed[-3:]))
    yield Finding("ADDRESS_UNKNOWN", workload, workload, w, detail, evidence=evidence)


def _missing(world: World, rid: str, callers: list[str]) -> Iterator[Finding]:
    """A called Service that does not exist although the workload of its name does."""
    _, ns, name = rid.split(":", 2)
    namesake = [one for one in world.workloads_in(ns) if one.name == name]
    if not namesake:
        return
    detail = f"the service {name} does not exist; {', '.join(one.rpartition(':')[2] for one in callers)} call it"
    full = full_quota(world, ns, _OF_SERVICES)
    if full:
        w = weight("QUOTA_REFUSES_SERVICE")
        yield Finding(
            "QUOTA_REFUSES_SERVICE", f"namespace::{ns}", namesake[0].rid, w, f"{full[1]}; {detail}", evidence=(full[0].rid, *callers[:3])
        )
    yield Finding(
        "SERVICE_MISSING", namesake[0].rid, namesake[0].rid, 0.2 if full else weight("SERVICE_MISSING"), detail, evidence=tuple(callers[:3])
    )
