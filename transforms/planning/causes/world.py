"""A tenant's neighbourhood as the findings read it: objects, what joins them, and what happened lately.

It is a function of the rows that a graph gives and of `now`, the time of the newest record; the order of the rows does not matter.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from transforms.model.graph import CALLS, CLAIMS, CONTROLS, MOUNTS, RUNS_ON, SELECTS, USES
from transforms.planning.causes.effort import Effort
from transforms.planning.causes.moments import MINUTE, time_of
from transforms.planning.causes.statuses import Condition, Container, Json, conditions, containers, members, number, part, text
from transforms.records.record import t_of

RECENT: Final = 15 * MINUTE
_OWNERS: Final = 6
_CONTROL_PLANE: Final = frozenset({"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"})
_CONTROL_ROLES: Final = frozenset({"kubernetes.io/role=master"})
WORKLOADS: Final = frozenset({"deployment", "statefulset", "daemonset", "replicaset", "job", "cronjob"})


K = TypeVar("K")
T = TypeVar("T")


class Rows(NamedTuple):
    """What a graph gives of one tenant. edges: (type, source, target). now: t*, in microseconds since 1970.

    truncated: something is left out. partly: the kinds of which objects may be, as rids have them.
    """

    resources: Mapping[str, Mapping[str, Any]]
    edges: Iterable[tuple[str, str, str]]
    episodes: Iterable[Mapping[str, Any]]
    now: int
    truncated: bool = False
    targets: Iterable[Mapping[str, Any]] = ()
    partly: frozenset[str] = frozenset()


class Call(NamedTuple):
    """An address in a workload's environment: the rid of the Service, its Namespace, the port, the variable."""

    service: str
    ns: str
    port: int
    variable: str


class Episode(NamedTuple):
    """Something that happened. at: when last; first: when first. times: how often. ver: of the record that says so."""

    eid: str
    etype: str
    reason: str
    message: str
    subject: str
    severity: str
    times: int
    at: int
    first: int
    ver: str
    props: Mapping[str, Any]


def _json(value: Any) -> Json:
    if not isinstance(value, str):
        return {}
    try:
        found = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


class Object:
    """A resource with what its properties say."""

    def __init__(self, rid: str, props: Mapping[str, Any]) -> None:
        self.rid = rid
        self.sort, self.ns, self.name = rid.split(":", 2)
        self.props = props
        self.kind: str = props.get("kind") or self.sort
        self.is_stub = bool(props.get("stub"))

    @property
    def status(self) -> Json:
        """Read anew each time: it can be large, and what is asked for often is kept below."""
        return _json(self.props.get("status"))

    @cached_property
    def facts(self) -> Json:
        return _json(self.props.get("facts"))

    @cached_property
    def labels(self) -> frozenset[str]:
        return frozenset(self.props.get("labels") or ())

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        return conditions(self.status)

    @cached_property
    def containers(self) -> list[Container]:
        return list(containers(self.status))

    @cached_property
    def created(self) -> int | None:
        return time_of(self.props.get("created"))

    @cached_property
    def changed(self) -> int | None:
        """When what it asks for was last changed; None where its record does not say."""
        return time_of(self.props.get("changed"))

    @property
    def ver(self) -> str:
        return self.props.get("ver") or ""

    @property
    def seen(self) -> int:
        """When its newest record was written; 0 for a stub."""
        return int(t_of(self.ver)) if self.ver else 0

    @cached_property
    def label_values(self) -> dict[str, str]:
        """By key; of a key that is there twice, the value that sorts last."""
        return dict(one.split("=", 1) for one in sorted(self.labels) if "=" in one)

    def label(self, key: str) -> str | None:
        return self.label_values.get(key)

    @cached_property
    def allocatable(self) -> Json:
        """Of a Node, what it has to give."""
        return part(self.status, "allocatable")

    @cached_property
    def is_control_plane(self) -> bool:
        keys = {one.partition("=")[0] for one in self.labels}
        return not keys.isdisjoint(_CONTROL_PLANE) or not self.labels.isdisjoint(_CONTROL_ROLES)

    @property
    def phase(self) -> str:
        return text(self.props.get("phase") or self.status.get("phase"))

    @property
    def node(self) -> str:
        """Of a Pod, the rid of its Node; "" where it has none."""
        name = self.props.get("node")
        return f"node::{name}" if name else ""

    @property
    def is_ready(self) -> bool:
        found = self.conditions.get("Ready")
        return found is not None and found.status == "True"

    @property
    def title(self) -> str:
        """As people write it: `Kind/name`."""
        return f"{self.kind}/{self.name}"

    def spec_containers(self) -> list[Json]:
        return members(self.facts, "containers")


class World:
    """Objects and episodes, indexed by how the findings ask for them. Every answer is sorted."""

    def __init__(self, rows: Rows) -> None:
        self.now = rows.now
        self.targets = sorted(rows.targets, key=lambda one: str(one.get("tid")))
        self.objects = {rid: Object(rid, props) for rid, props in sorted(rows.resources.items())}
        self._owner: dict[str, str] = {}
        self._out: dict[tuple[str, str], list[str]] = {}
        self._in: dict[tuple[str, str], list[str]] = {}
        for kind, source, target in sorted(rows.edges):
            self._out.setdefault((kind, source), []).append(target)
            self._in.setdefault((kind, target), []).append(source)
            if kind == CONTROLS.type and target.partition(":")[0] not in ("endpoints", "endpointslice"):
                self._owner.setdefault(target, source)
        self.episodes = sorted(map(_episode, rows.episodes), key=_AT_AND_EID)
        self._by_subject: dict[str, list[Episode]] = {}
        for episode in self.episodes:
            self._by_subject.setdefault(episode.subject, []).append(episode)
        self._tops: dict[str, str] = {}
        self._partly = rows.partly
        self._known: dict[tuple[str | bytes, ...], Any] = {}
        self.effort = Effort()

    def once(self, key: tuple[str | bytes, ...], make: Callable[[], T]) -> T:
        """What `make` gives for the key, made when it is first asked for. key: its first part names what is kept."""
        if key not in self._known:
            self._known[key] = make()
        found: T = self._known[key]
        return found

    def knows_all(self, sort: str) -> bool:
        """Whether no object of the kind was left out."""
        return sort not in self._partly

    def is_missing(self, rid: str) -> bool:
        """Whether others speak of an object that no record has described; not of one that was only left out."""
        one = self.objects.get(rid)
        return one.is_stub if one is not None else self.knows_all(rid.partition(":")[0])

    @cached_property
    def by_eid(self) -> dict[str, Episode]:
        return {one.eid: one for one in self.episodes}

    def named(self, eids: Iterable[str]) -> list[Episode]:
        """The episodes of these keys, as far as they are known."""
        return [one for eid in eids if (one := self.by_eid.get(eid)) is not None]

    @cached_property
    def cordoned(self) -> list[Object]:
        """Nodes that are cordoned and ready."""
        return [node for node in self.of_kind("node") if node.props.get("unschedulable") and node.is_ready]

    def of_kind(self, *tokens: str) -> list[Object]:
        return [one for token in tokens for one in self._by_kind.get(token, ())]

    @cached_property
    def _by_kind(self) -> dict[str, list[Object]]:
        return grouped((one for one in self.objects.values() if not one.is_stub), attrgetter("sort"))

    def get(self, rid: str) -> Object | None:
        return self.objects.get(rid)

    def is_live(self, rid: str) -> bool:
        one = self.objects.get(rid)
        return one is not None and not one.is_stub

    def top(self, rid: str) -> str:
        """The workload that an object belongs to: its topmost owner; itself where nothing owns it."""
        known = self._tops.get(rid)
        if known is None:
            known, left = rid, _OWNERS
            while left and (owner := self._owner.get(known)) and owner.partition(":")[0] != "node":
                known, left = owner, left - 1
            self._tops[rid] = known
        return known

    @cached_property
    def _pods(self) -> dict[str, list[Object]]:
        return grouped(self.of_kind("pod"), lambda pod: self.top(pod.rid))

    def pods_of(self, workload: str) -> list[Object]:
        return self._pods.get(workload, [])

    def about_pods(self, ns: str) -> bool:
        """Whether any Pod of the Namespace is known."""
        return ns in self._pod_spaces

    @cached_property
    def _pod_spaces(self) -> set[str]:
        return {pod.ns for pod in self.of_kind("pod")}

    def pods_on(self, node: str) -> list[Object]:
        return [one for rid in self._in.get((RUNS_ON.type, node), ()) if (one := self.objects.get(rid)) and not one.is_stub]

    def mounted(self, pod: str) -> list[str]:
        """The rids of ConfigMaps, Secrets and claims that a Pod uses."""
        return self._out.get((MOUNTS.type, pod), [])

    def users_of(self, rid: str) -> list[str]:
        """The Pods that use a ConfigMap, Secret or claim."""
        return self._in.get((MOUNTS.type, rid), [])

    def used(self, rid: str) -> list[str]:
        return self._out.get((USES.type, rid), [])

    def volume_of(self, claim: str) -> str:
        return next(iter(self._out.get((CLAIMS.type, claim), ())), "")

    def selected(self, service: str) -> list[Object]:
        """The Pods that a Service selects, as far as they are known."""

        def found() -> list[Object]:
            return [one for rid in self._out.get((SELECTS.type, service), ()) if (one := self.objects.get(rid)) and not one.is_stub]

        return self.once(("selected", service), found)

    def knows_selected(self, service: str) -> bool:
        """Whether all Pods that the Service selects are known."""
        return self.knows_all("edge") and len(self.selected(service)) == len(self._out.get((SELECTS.type, service), ()))

    def selects_nothing(self, service: str) -> bool:
        """Whether it is known that the Service selects no Pod."""
        return self.knows_all("edge") and not self._out.get((SELECTS.type, service))

    def has_ready(self, service: str) -> bool:
        """Whether a Pod that the Service selects is ready."""
        return self.once(("has ready", service), lambda: any(pod.is_ready for pod in self.selected(service)))

    def tops_behind(self, service: str) -> frozenset[str]:
        """The workloads of the Pods that the Service selects."""
        return self.once(("tops behind", service), lambda: frozenset(self.top(pod.rid) for pod in self.selected(service)))

    def callers_of(self, service: str) -> list[str]:
        """The workloads whose environment names the Service."""
        return self._in.get((CALLS.type, service), [])

    def called_by(self, workload: str) -> list[str]:
        return self._out.get((CALLS.type, workload), [])

    def about(self, rid: str) -> list[Episode]:
        return self._by_subject.get(rid, [])

    def about_workload(self, workload: str) -> list[Episode]:
        """About the workload and all that it owns, in the order of time."""
        found = [one for rid in self._owned.get(workload, ()) for one in self.about(rid)]
        return sorted(found, key=lambda one: (one.at, one.eid))

    @cached_property
    def _owned(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for rid in sorted({*self.objects, *self._by_subject}):
            if rid:
                found.setdefault(self.top(rid), []).append(rid)
        return found

    @cached_property
    def pending(self) -> list[Object]:
        """Pods that wait for a Node."""
        return [pod for pod in self.of_kind("pod") if pod.phase == "Pending" and not pod.node]

    @cached_property
    def workloads(self) -> list[Object]:
        """Topmost workloads, and Pods that nothing owns."""
        found = (one for token in sorted(WORKLOADS) for one in self.of_kind(token) if self.top(one.rid) == one.rid)
        alone = (pod for pod in self.of_kind("pod") if self.top(pod.rid) == pod.rid)
        return [*found, *alone]

    def workloads_in(self, ns: str) -> list[Object]:
        """The workloads of a Namespace, in the order of `workloads`."""
        return self._workloads_by_space.get(ns, [])

    @cached_property
    def _workloads_by_space(self) -> dict[str, list[Object]]:
        return grouped(self.workloads, _SPACE)

    def workloads_named(self, ns: str, name: str) -> list[Object]:
        """The workloads of a Namespace that bear the name."""
        return self._workloads_by_name.get((ns, name), [])

    @cached_property
    def _workloads_by_name(self) -> dict[tuple[str, str], list[Object]]:
        return grouped(self.workloads, lambda one: (one.ns, one.name))

    def quotas_in(self, ns: str) -> list[Object]:
        return self._quotas_by_space.get(ns, [])

    @cached_property
    def _quotas_by_space(self) -> dict[str, list[Object]]:
        return grouped(self.of_kind("resourcequota"), _SPACE)

    def sets_of(self, workload: str) -> list[Object]:
        """The ReplicaSets of a workload."""
        return self._sets_by_top.get(workload, [])

    @cached_property
    def _sets_by_top(self) -> dict[str, list[Object]]:
        return grouped(self.of_kind("replicaset"), lambda one: self.top(one.rid))

    def services_in(self, ns: str) -> list[Object]:
        return self._services_by_space.get(ns, [])

    @cached_property
    def _services_by_space(self) -> dict[str, list[Object]]:
        return grouped(self.of_kind("service"), _SPACE)

    @cached_property
    def calls(self) -> dict[str, list[Call]]:
        """The addresses in the environments of the workloads, by workload."""
        found = {}
        for workload in self.workloads:
            listed = self.template(workload.rid).get("calls")
            calls = [_call(one, workload.ns) for one in listed if _is_call(one)] if isinstance(listed, list) else []
            if calls:
                found[workload.rid] = calls
        return found

    @cached_property
    def namespaces_with_services(self) -> set[str]:
        return {service.ns for service in self.of_kind("service")}

    @cached_property
    def callers(self) -> dict[str, list[str]]:
        """The workloads whose environment names a Service, sorted, by Service."""
        found: dict[str, list[str]] = {}
        for workload, calls in sorted(self.calls.items()):
            for service in {call.service for call in calls}:
                found.setdefault(service, []).append(workload)
        return found

    def counts(self, workload: str) -> tuple[int, int, int]:
        """How many Pods are desired, exist and are ready, as far as the workload says or its Pods show."""
        one = self.objects.get(workload)
        if one is None or one.sort in ("job", "cronjob", "pod"):
            return 0, 0, 0
        status = one.status
        if one.sort == "daemonset":
            wanted = number(status.get("desiredNumberScheduled"))
            return wanted, number(status.get("currentNumberScheduled", wanted)), number(status.get("numberReady"))
        return number(one.props.get("replicas")), number(status.get("replicas")), number(status.get("readyReplicas"))

    def template(self, workload: str) -> Json:
        """The facts of the workload's template, else of its first Pod."""
        one = self.objects.get(workload)
        if one is not None and one.facts:
            return one.facts
        return next((pod.facts for pod in self.pods_of(workload) if pod.facts), {})


_SPACE: Final = attrgetter("ns")
_AT_AND_EID: Final = attrgetter("at", "eid")


def grouped(objects: Iterable[Object], key: Callable[[Object], K]) -> dict[K, list[Object]]:
    """The objects by what `key` gives for each, in their order."""
    found: dict[K, list[Object]] = {}
    for one in objects:
        found.setdefault(key(one), []).append(one)
    return found


def _episode(props: Mapping[str, Any]) -> Episode:
    """Of thousands, one at a time: what is looked up is looked up once."""
    get = props.get
    ver: str = get("ver") or ""
    at = time_of(get("event_time")) or (int(t_of(ver)) if ver else 0)
    first = get("first_time")
    began = at if first is None else min(time_of(first) or at, at)
    count = get("count")
    times = count if isinstance(count, int) else 1
    said = (get("etype") or "", get("reason") or "", get("message") or "", get("subject") or "", get("severity") or "")
    return Episode(props["eid"], *said, times, at, began, ver, props)


def _is_call(one: Any) -> bool:
    return isinstance(one, list) and len(one) == 4 and isinstance(one[0], str) and isinstance(one[1], str) and isinstance(one[2], int)  # noqa: PLR2004


def _call(one: list[Any], ns: str) -> Call:
    name, namespace, port, variable = one
    return Call(f"service:{namespace or ns}:{name}", namespace or ns, port, text(variable))
