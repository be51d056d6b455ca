"""The facts of a Pod's spec that explain its failures: ports, probes, requests, limits, placement, the Services that it calls.

They are one JSON text on the node. Kubernetes has checked the spec; a value of another form than it gives is left out and is no
fault. Sizes are bounded: what has more entries than `_MOST` keeps the first ones, and a text beyond `MOST_BYTES` is left out as a
whole, which says that nothing is known.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from transforms.records.specs.pod_parts import Container, PodTemplateSpec

MOST_BYTES: Final = 8 * 1024
_MOST: Final = 32
_MOST_CALLS: Final = 64
_NAME_CHARACTERS: Final = 253
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_TIMES: Final = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold")
_CHECKS: Final = {"httpGet": "http", "tcpSocket": "tcp", "grpc": "grpc", "exec": "exec"}
# Nothing but an address is ever taken: no user part, no path, no blank. Anchored at both ends; linear.
_ADDRESS: Final = re.compile(
    rb'"(?:(?P<scheme>[a-z][a-z0-9+]{1,15})://)?(?P<host>[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?):(?P<port>[0-9]{1,5})/?"'
)
_IPV4: Final = re.compile(r"[0-9.]+")
_HIGHEST_PORT: Final = 65535
_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode


class Call(NamedTuple):
    """An address in the environment of a container: the Service at `name` in `namespace` ("" for the own one)."""

    name: str
    namespace: str
    port: int
    variable: str


def facts_text(spec: PodTemplateSpec, labels: Any = None) -> str | None:
    """The facts as JSON; None where there are none, or too many to keep. labels: those of a template."""
    facts: dict[str, Any] = {
        "containers": [_container(one) for one in (spec.containers or ())[:_MOST]],
        "init": [_container(one) for one in (spec.init_containers or ())[:_MOST]],
        "selector": _texts(spec.node_selector),
        "affinity": _required_affinity(spec.affinity),
        "anti_affinity": _required_anti_affinity(spec.affinity),
        "tolerations": _tolerations(spec.tolerations),
        "scheduler": spec.scheduler_name if spec.scheduler_name != "default-scheduler" else None,
        "gates": len(spec.scheduling_gates) if isinstance(spec.scheduling_gates, list) else None,
        "host_network": spec.host_network is True,
        "account": spec.service_account,
        "labels": _texts(labels),
        "calls": [list(one) for one in calls_of(spec)],
    }
    kept = {name: value for name, value in facts.items() if value}
    text = _ENCODE(kept)
    return text.decode() if kept and len(text) <= MOST_BYTES else None


def calls_of(spec: PodTemplateSpec) -> list[Call]:
    """The Services that the environment names by an address, sorted; at most `_MOST_CALLS`."""
    return sorted({one for container in spec.containers or () for one in _calls(container)})[:_MOST_CALLS]


def is_address(value: msgspec.Raw) -> bool:
    """Whether a value of the environment, as JSON text, is an address and nothing else: the only values that are ever read."""
    return bool(value) and _ADDRESS.fullmatch(bytes(value)) is not None


def read_of_probe(probe: Any) -> dict[str, Any] | None:
    """What is read of a probe, in its own form: no command, path or header."""
    if not isinstance(probe, dict):
        return None
    kept = {name: probe[name] for name in _TIMES if isinstance(probe.get(name), int)}
    for key in _CHECKS:
        check = probe.get(key)
        if isinstance(check, dict):
            port = check.get("port")
            kept[key] = {"port": port} if isinstance(port, int | str) else {}
    return kept


def _calls(container: Container) -> Iterator[Call]:
    for variable in container.env or ():
        found = _ADDRESS.fullmatch(bytes(variable.value)) if variable.value else None
        if found is None or not isinstance(variable.name, str) or len(variable.name) > _NAME_CHARACTERS:
            continue
        host, port = found["host"].decode(), int(found["port"])
        if not 0 < port <= _HIGHEST_PORT or _IPV4.fullmatch(host) or host == "localhost":
            continue
        name, _, rest = host.partition(".")
        namespace, _, domain = rest.partition(".")
        if not rest or not domain or domain == "svc" or domain.startswith("svc."):
            yield Call(name, namespace, port, variable.name)


def _container(one: Container) -> dict[str, Any]:
    amounts = one.resources
    probes = {probe[: -len("Probe")]: _probe(value) for probe, value in zip(_PROBES, _probes(one), strict=True) if isinstance(value, dict)}
    facts = {
        "name": _text(one.name),
        "image": _text(one.image),
        "ports": [[port.container_port, _text(port.protocol) or "TCP", _text(port.name)] for port in (one.ports or ())[:_MOST]],
        "requests": _amounts(amounts.requests) if amounts else None,
        "limits": _amounts(amounts.limits) if amounts else None,
        "probes": {name: value for name, value in probes.items() if value},
    }
    return {name: value for name, value in facts.items() if value}


def _probes(one: Container) -> tuple[Any, Any, Any]:
    return one.liveness_probe, one.readiness_probe, one.startup_probe


def _probe(probe: dict[str, Any]) -> list[Any] | None:
    """How the probe asks, at which port, and the seconds of its delay, time-out and period with the threshold."""
    for key, how in _CHECKS.items():
        check = probe.get(key)
        if isinstance(check, dict):
            port = check.get("port")
            times = [probe.get(name) for name in _TIMES]
            return [how, port if isinstance(port, int | str) else None, *(one if isinstance(one, int) else None for one in times)]
    return None


def _text(value: Any) -> str:
    return value[: _NAME_CHARACTERS * 2] if isinstance(value, str) else ""


def _amounts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {name: str(value[name]) for name in ("cpu", "memory") if isinstance(value.get(name), str | int | float)}


def _texts(value: Any) -> dict[str, str]:
    """A map of texts, its first entries by name."""
    if not isinstance(value, dict):
        return {}
    return {name: one for name, one in sorted(value.items())[:_MOST] if isinstance(one, str)}


def _dict(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _required_affinity(affinity: Any) -> list[Any]:
    """The terms of which one must hold, each a list of [key, operator, values]."""
    terms = _dict(affinity, "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
    found = []
    for term in terms[:_MOST] if isinstance(terms, list) else ():
        expressions = _dict(term, "matchExpressions")
        fields = _dict(term, "matchFields")
        asked = [*(expressions if isinstance(expressions, list) else ()), *(fields if isinstance(fields, list) else ())]
        found.append([_expression(one) for one in asked[:_MOST] if isinstance(one, dict)])
    return found


def _expression(one: dict[str, Any]) -> list[Any]:
    values = one.get("values")
    return [
        _text(one.get("key")),
        _text(one.get("operator")),
        [_text(value) for value in values[:_MOST]] if isinstance(values, list) else [],
    ]


def _required_anti_affinity(affinity: Any) -> list[str]:
    """The topology keys within which Pods must keep apart."""
    terms = _dict(affinity, "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    return sorted({_text(_dict(one, "topologyKey")) for one in terms[:_MOST]} if isinstance(terms, list) else ())


# Every Pod has these two; they tell nothing.
_USUAL: Final = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})


def _tolerations(value: Any) -> list[Any]:
    """[key, operator, value, effect] of each, less those that Kubernetes gives every Pod."""
    listed = value[:_MOST] if isinstance(value, list) else ()
    kept = [one for one in listed if isinstance(one, dict) and one.get("key") not in _USUAL]
    return [[_text(one.get(name)) for name in ("key", "operator", "value", "effect")] for one in kept]
