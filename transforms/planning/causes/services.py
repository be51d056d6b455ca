"""Findings about Services and about addresses in environments: selectors, ports, protocols, names."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from transforms.planning.causes.admission import full_quota
from transforms.planning.causes.alike import labels_of, matched, nearly, service_near
from transforms.planning.causes.blame import Blame
from transforms.planning.causes.placement import listed
from transforms.planning.causes.probes import exposed_ports
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import Call, Object, World

_OF_SERVICES: Final = ("services", "count/services", "services.loadbalancers", "services.nodeports")


def services(world: World, blame: Blame) -> Iterator[Finding]:
    for service in world.of_kind("service"):
        if service.props.get("selector"):
            yield from _selector(world, blame, service)
            yield from _ports(world, blame, service)
    yield from _addresses(world, blame)


def workload_of(world: World, service: Object) -> str:
    """The workload that a Service counts as: the one of the Pods that it selects, of its name, or that its selector nearly matches."""
    return world.once(("behind", service.rid), lambda: _workload_of(world, service))


def _workload_of(world: World, service: Object) -> str:
    tops = world.tops_behind(service.rid)
    if tops:
        return min(tops)
    wanted = frozenset(service.props.get("selector") or ())
    for found in (matched(world, service.ns, wanted), world.workloads_named(service.ns, service.name), nearly(world, service.ns, wanted)):
        if found:
            return found[0].rid
    return service.rid


def _selector(world: World, blame: Blame, service: Object) -> Iterator[Finding]:
    wanted = frozenset(service.props.get("selector") or ())
    yield from _unready(world, service)
    if not world.selects_nothing(service.rid) or not world.workloads_in(service.ns) or matched(world, service.ns, wanted):
        return
    blamed = blame.of(service)
    named, near = world.workloads_named(service.ns, service.name), nearly(world, service.ns, wanted)
    alike = next(iter((*named, *near)), None)
    is_known = bool(blamed or alike or world.callers_of(service.rid) or world.callers.get(service.rid))
    detail = f"its selector {listed(sorted(wanted))} matches no pod"
    if alike is not None:
        detail += f"; those of {alike.title} have {listed(sorted(labels_of(world, alike)))}"
    evidence = (service.rid, *(one.episode.eid for one in blamed[-3:]))
    w = weight("SERVICE_SELECTS_NOTHING") if is_known else 0.3
    yield Finding("SERVICE_SELECTS_NOTHING", workload_of(world, service), service.rid, w, detail, blame.first(service), evidence=evidence)


def _unready(world: World, service: Object) -> Iterator[Finding]:
    if not world.knows_selected(service.rid):
        return
    selected = world.selected(service.rid)
    is_told = any("Ready" in pod.conditions for pod in selected) or (not selected and world.about_pods(service.ns))
    if is_told and not world.has_ready(service.rid):
        detail = f"none of its {len(selected)} pods is ready" if selected else "it has no pod"
        yield Finding("NO_READY_ENDPOINT", workload_of(world, service), service.rid, 0.3, detail, evidence=(service.rid,))


def _ports(world: World, blame: Blame, service: Object) -> Iterator[Finding]:
    selected = world.selected(service.rid)
    exposed: set[int] = set()
    names: set[str] = set()
    protocols: set[tuple[int, str]] = set()
    # Pods of one template expose the same.
    for pod in {str(one.props.get("facts") or ""): one for one in selected}.values():
        numbers, named, spoken = world.once(("ports", pod.rid), partial(_ports_of, pod))
        exposed |= numbers
        names |= named
        protocols |= spoken
    if not exposed:
        return
    evidence = (service.rid, *(one.episode.eid for one in blame.of(service)[-3:]))
    ports = list(map(str, sorted(exposed)))
    for port, protocol, target, _name in _declared(service):
        is_named = isinstance(target, str) and not target.isdecimal()
        number = int(target) if isinstance(target, str) and target.isdecimal() else target
        group = workload_of(world, service)
        if (is_named and target not in names) or (not is_named and number not in exposed):
            w = weight("TARGET_PORT_UNKNOWN") if is_named or blame.blames(service, port) else 0.2
            detail = f"its port {port} leads to {target}, its pods expose {listed(ports)}"
            yield Finding("TARGET_PORT_UNKNOWN", group, service.rid, w, detail, blame.first(service), evidence=evidence)
        elif not is_named and (number, protocol) not in protocols:
            w = weight("PROTOCOL_MISMATCH") if blame.blames(service, port) else 0.55
            has = ", ".join(sorted(kind for one, kind in protocols if one == number))
            detail = f"its port {port} is {protocol}, that of the container is {has}"
            yield Finding("PROTOCOL_MISMATCH", group, service.rid, w, detail, blame.first(service), evidence=evidence)


def _ports_of(pod: Object) -> tuple[set[int], set[str], set[tuple[int, str]]]:
    """The ports that a Pod exposes by number and by name, and the protocol of each."""
    spoken = {(one[0], one[1]) for container in pod.spec_containers() for one in container.get("ports") or () if len(one) > 1}
    return *exposed_ports(pod.facts), spoken


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
            elif call.ns in world.namespaces_with_services and world.is_missing(call.service):
                missing.setdefault(call.service, []).append(workload)
                yield from _unknown(world, blame, workload, call)
    for rid, callers in sorted(missing.items()):
        yield from _missing(world, rid, callers)


def _wrong_port(blame: Blame, workload: str, call: Call, service: Object) -> Iterator[Finding]:
    ports = [one[0] for one in _declared(service)]
    if not ports or call.port in ports or service.facts.get("headless"):
        return
    blamed = blame.of_port(service, call.port)
    w = weight("ADDRESS_WRONG_PORT") if blamed else 0.6
    detail = f"{call.variable} asks port {call.port} of {service.title}, which has {listed(list(map(str, sorted(ports))))}"
    evidence = (workload, service.rid, *(one.episode.eid for one in blamed[-3:]))
    yield Finding("ADDRESS_WRONG_PORT", workload, workload, w, detail, evidence=evidence)


def _unknown(world: World, blame: Blame, workload: str, call: Call) -> Iterator[Finding]:
    ns, name = call.service.split(":", 2)[1:]
    near = service_near(world, ns, name)
    blamed = blame.of_missing(ns, name)
    evidence_of = 0 if world.workloads_named(ns, name) else (near is not None) + bool(blamed)
    w = (0.15, 0.75, weight("ADDRESS_UNKNOWN"))[evidence_of]
    detail = f"{call.variable} names the service {name}, which does not exist"
    if near is not None:
        detail += f"; {near.title} does"
    evidence = (workload, *(one.episode.eid for one in blamed[-3:]))
    yield Finding("ADDRESS_UNKNOWN", workload, workload, w, detail, evidence=evidence)


def _missing(world: World, rid: str, callers: list[str]) -> Iterator[Finding]:
    """A called Service that does not exist although the workload of its name does."""
    _, ns, name = rid.split(":", 2)
    namesake = world.workloads_named(ns, name)
    if not namesake:
        return
    detail = f"the service {name} does not exist; {listed([one.rpartition(':')[2] for one in callers])} call it"
    full = full_quota(world, ns, _OF_SERVICES)
    if full:
        w = weight("QUOTA_REFUSES_SERVICE")
        yield Finding(
            "QUOTA_REFUSES_SERVICE", f"namespace::{ns}", namesake[0].rid, w, f"{full[1]}; {detail}", evidence=(full[0].rid, *callers[:3])
        )
    yield Finding(
        "SERVICE_MISSING", namesake[0].rid, namesake[0].rid, 0.2 if full else weight("SERVICE_MISSING"), detail, evidence=tuple(callers[:3])
    )
