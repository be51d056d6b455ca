"""Who reports failures of whom: lines of failure whose addresses are resolved to Services and workloads."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Final, NamedTuple

from transforms.planning.causes.moments import MINUTE, SECOND
from transforms.planning.causes.world import Episode, Object, World

_LINES_WITHIN: Final = 2 * MINUTE
# Before its callees are up, everybody fails to reach them.
_START: Final = 30 * SECOND
_MOST_LINES: Final = 5000
# Of the addresses that a line names.
_MOST_TARGETS: Final = 8
_ADDRESS: Final = re.compile(r"(?<![0-9.])([0-9]{1,3}(?:\.[0-9]{1,3}){3}):([0-9]{1,5})")
_HOST: Final = re.compile(r"(?<![a-z0-9.-])([a-z](?:[-a-z0-9.]{0,200}[a-z0-9])?):([0-9]{2,5})(?![0-9:])")
_LOOKUP: Final = re.compile(
    r"(?:lookup|resolve host:?|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|UnknownHostException:?|not resolve) ['\"]?([a-z][a-z0-9.-]{0,252})",
    re.IGNORECASE,
)
_TIMES_OUT: Final = re.compile(
    r"i/o timeout|timed out|ETIMEDOUT|connection timeout|no route to host|no such host|server misbehaving|name resolution", re.IGNORECASE
)
_ABOUT_CALLS: Final = frozenset(
    {"LOG_CONNECTION", "LOG_DNS", "LOG_TIMEOUT", "LOG_DEPENDENCY", "LOG_ERROR", "LOG_FATAL", "LOG_TLS", "LOG_PANIC", "LOG_CRASH"}
)


class Blamed(NamedTuple):
    """A line that names a Service or a Pod as what failed.

    logger: the workload that logs. node: where it runs. target: the rid of the Service or workload. port: 0 where none is named.
    dials_time_out: the dial got no answer, or the name no address.
    """

    logger: str
    node: str
    target: str
    port: int
    dials_time_out: bool
    episode: Episode


class Blame:
    """All lines of failure that count, and what they blame."""

    def __init__(self, world: World) -> None:
        self._world = world

    @cached_property
    def lines(self) -> list[Episode]:
        """At most two minutes older than the newest, the newest ones where there are many."""
        told = [one for one in self._world.episodes if one.etype == "k8s.log" and self._world.now - one.at <= 15 * MINUTE]
        newest = told[-1].at if told else 0
        return [one for one in told if newest - one.at <= _LINES_WITHIN][-_MOST_LINES:]

    @cached_property
    def all(self) -> list[Blamed]:
        return [one for line in self.lines if line.reason in _ABOUT_CALLS for one in self._of(line)]

    @cached_property
    def by_target(self) -> dict[str, list[Blamed]]:
        found: dict[str, list[Blamed]] = {}
        for one in self.all:
            found.setdefault(one.target, []).append(one)
        return found

    def of(self, service: Object | str) -> list[Blamed]:
        return self.by_target.get(service if isinstance(service, str) else service.rid, [])

    def of_port(self, service: Object, port: Any) -> list[Blamed]:
        """Those of the lines about a Service that name this port, or none."""

        def found() -> list[Blamed]:
            return [one for one in self.of(service) if one.port in (0, port)]

        return self._world.once(("blamed", service.rid, str(port)), found)

    def blames(self, service: Object, port: Any) -> bool:
        """Whether a line about the Service names this port, or none."""

        def ports() -> frozenset[int]:
            return frozenset(one.port for one in self.of(service))

        known = self._world.once(("blamed ports", service.rid), ports)
        return 0 in known or port in known

    def first(self, service: Object) -> int | None:
        """When a line first blamed the Service."""
        return self._world.once(("first blamed", service.rid), lambda: min((one.episode.at for one in self.of(service)), default=None))

    def of_missing(self, ns: str, name: str) -> list[Blamed]:
        """Lines that fail to resolve the name of a Service that does not exist."""
        return self.by_target.get(f"service:{ns}:{name}", [])

    def _of(self, line: Episode) -> Iterator[Blamed]:
        world = self._world
        logger = world.top(line.subject)
        pod = world.get(line.subject)
        ns = line.subject.split(":", 2)[1] if line.subject.count(":") > 1 else ""
        seen: set[tuple[str, int]] = set()
        times_out: bool | None = None
        for target, port in self._targets(line.message, ns):
            if len(seen) == _MOST_TARGETS:
                return
            if (target, port) in seen or target == logger or self._is_start(target, line.at):
                continue
            seen.add((target, port))
            if times_out is None:
                times_out = _TIMES_OUT.search(line.message) is not None
            yield Blamed(logger, pod.node if pod else "", target, port, times_out, line)

    def _targets(self, message: str, ns: str) -> Iterable[tuple[str, int]]:
        for found in _ADDRESS.finditer(message):
            rid = self._by_address.get(found[1])
            if rid:
                yield rid, int(found[2])
        for found in _HOST.finditer(message):
            rid = self._named(found[1], ns)
            if rid:
                yield rid, int(found[2])
        for found in _LOOKUP.finditer(message):
            yield self._named(found[1], ns) or f"service:{ns}:{found[1].partition('.')[0]}", 0

    def _named(self, host: str, ns: str) -> str:
        name, _, rest = host.partition(".")
        rid = f"service:{rest.partition('.')[0] or ns}:{name}"
        return rid if rid in self._world.objects else ""

    @cached_property
    def _by_address(self) -> dict[str, str]:
        """Rids by the addresses of Services and Pods; the Services' count where both have one."""
        found = {
            str(pod.props["pod_ip"]): self._world.top(pod.rid)
            for pod in self._world.of_kind("pod")
            if pod.props.get("pod_ip") and not _shares(pod)
        }
        for service in self._world.of_kind("service"):
            found |= dict.fromkeys(service.props.get("service_ips") or (), service.rid)
        return found

    def _is_start(self, target: str, at: int) -> bool:
        """Whether the line is of the callee's first seconds."""
        made = self._made.get(target)
        return made is not None and at - made < _START

    @cached_property
    def _made(self) -> dict[str, int]:
        """When the newest Pod behind a Service, or of a workload, was made."""
        found: dict[str, int] = {}
        for service in self._world.of_kind("service"):
            made = [pod.created for pod in self._world.selected(service.rid) if pod.created is not None]
            if made:
                found[service.rid] = max(made)
        for workload in self._world.workloads:
            made = [pod.created for pod in self._world.pods_of(workload.rid) if pod.created is not None]
            if made:
                found[workload.rid] = max(made)
        return found


def _shares(pod: Object) -> bool:
    """Whether a Pod has the address of its Node."""
    return bool(pod.facts.get("host_network"))
