"""The findings, declared once: what each means, how much it speaks for its object as the cause, and what to do.

Documentation, the explanations and `scripts/score --without` derive from this table. A weight is the greatest that the finding has;
where the evidence is weaker, the function that finds it says less (`Finding.weight`).
"""

from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A kind of finding.

    name: a contract; incidents carry it. weight: how much one alone speaks for its object. about: the object that it is about.
    when: its condition. says: what it means, as the explanation has it. do: the remedy. is_symptom: it never makes a cause.
    """

    name: str
    weight: float
    about: str
    when: str
    says: str
    do: str
    is_symptom: bool = False


_NODE: Final = "Node"
_WORK: Final = "workload"
_SPACE: Final = "Namespace"
_SERVICE: Final = "Service"

FINDINGS: Final = (
    Kind(
        "NODE_NOT_READY", 0.95, _NODE, "its condition Ready is not True", "the node is not ready", "look at kubelet and container runtime"
    ),
    Kind(
        "NODE_PRESSURE",
        0.8,
        _NODE,
        "MemoryPressure, DiskPressure, PIDPressure or NetworkUnavailable",
        "the node is short",
        "free the resource",
    ),
    Kind(
        "NODE_RUNTIME_ERROR",
        0.9,
        _NODE,
        "an Event ContainerGCFailed, KubeletSetupFailed or SystemOOM within 4 minutes; .45 if the node is ready",
        "its container runtime fails",
        "restart the container runtime",
    ),
    Kind(
        "RUNTIME_UNREACHABLE",
        0.9,
        _NODE,
        "an Event names the runtime's socket",
        "its container runtime does not answer",
        "restart the container runtime",
    ),
    Kind(
        "NODE_PODS_DOWN",
        0.6,
        _NODE,
        "Pods of 3 or more workloads are not ready, without a reason of their own, on this Node and hardly anywhere else",
        "pods of several workloads are down on it and nowhere else",
        "look at the node",
    ),
    Kind("NODE_CORDONED", 0.7, _NODE, "unschedulable, and a pending Pod may run nowhere else", "it is cordoned", "uncordon the node"),
    Kind(
        "SCHEDULER_SILENT",
        0.9,
        "the scheduler's Node",
        "a Pod is pending for 20 s and no scheduler has spoken of it",
        "the scheduler says nothing of a pending pod",
        "look at the scheduler",
    ),
    Kind(
        "NODE_CANNOT_REACH_SERVICES",
        0.75,
        _NODE,
        "its Pods fail to reach Services that have ready Pods and no fault",
        "its pods cannot reach services that work",
        "look at kube-proxy, DNS and the network of the node",
    ),
    Kind(
        "COMPONENT_DOWN",
        0.8,
        _NODE,
        "a target of kubelet, kube-proxy or kube-scheduler is down",
        "a component is down",
        "look at the component",
    ),
    Kind(
        "QUOTA_EXCEEDED",
        0.95,
        _SPACE,
        'FailedCreate "exceeded quota" within 15 minutes',
        "a quota refuses pods",
        "raise the quota, or lower the requests",
    ),
    Kind("QUOTA_FULL", 0.45, _SPACE, "a ResourceQuota is used up", "a quota is used up", "raise the quota"),
    Kind(
        "QUOTA_NEARLY_FULL",
        0.42,
        _SPACE,
        "a ResourceQuota is used to 80 %; .15 if no Pods are missing",
        "a quota is nearly used up",
        "raise the quota",
    ),
    Kind(
        "QUOTA_REFUSES_SERVICE",
        0.9,
        _SPACE,
        "a called Service is missing, its workload exists, and the quota is full",
        "a quota refuses a service",
        "raise the quota",
    ),
    Kind(
        "QUOTA_REFUSES_CLAIM",
        0.88,
        _SPACE,
        "a mounted claim is missing, and the quota is full",
        "a quota refuses a claim",
        "raise the quota",
    ),
    Kind(
        "IMAGE_NOT_FOUND", 0.92, _WORK, "an image that the registry has not", "its image does not exist", "correct the image's name or tag"
    ),
    Kind(
        "IMAGE_REGISTRY_UNRESOLVED",
        0.92,
        _WORK,
        "the registry has no address",
        "the image's registry cannot be reached",
        "correct the registry's name, or its DNS",
    ),
    Kind("IMAGE_PULL_DENIED", 0.92, _WORK, "the registry refuses the login", "the registry refuses the pull", "correct the pull secret"),
    Kind("IMAGE_PULL_FAILING", 0.92, _WORK, "an image cannot be pulled", "its image cannot be pulled", "look at the message of the pull"),
    Kind(
        "OOM_KILLED",
        0.92,
        _WORK,
        "a container terminated with OOMKilled",
        "it ran out of memory",
        "raise the memory limit, or mend the leak",
    ),
    Kind(
        "SANDBOX_OOM",
        0.85,
        _WORK,
        "FailedCreatePodSandBox speaks of memory",
        "its memory limit is too low to start",
        "raise the memory limit",
    ),
    Kind(
        "CRASH_LOOP",
        0.7,
        _WORK,
        "CrashLoopBackOff, or 3 restarts and BackOff within 5 minutes",
        "it crashes again and again",
        "read the container's last log",
    ),
    Kind("RESTARTED", 0.45, _WORK, "a restart within the last 15 minutes", "it restarted", "read the container's last log"),
    Kind(
        "CONTAINER_NOT_CREATED",
        0.88,
        _WORK,
        "CreateContainerError, CreateContainerConfigError or RunContainerError",
        "a container cannot be created",
        "correct the reference that the message names",
    ),
    Kind(
        "PROBE_PORT_NOT_EXPOSED",
        0.85,
        _WORK,
        "a probe asks a port that no container exposes",
        "a probe asks a port that no container exposes",
        "correct the probe's port",
    ),
    Kind(
        "PROBE_WRONG_PROTOCOL",
        0.85,
        _WORK,
        "a probe of another protocol than the port's",
        "a probe speaks another protocol than the port",
        "use a gRPC or TCP probe",
    ),
    Kind("PROBE_FAILING", 0.5, _WORK, "a probe fails and the Pod is not ready", "a probe fails", "correct the probe, or give it more time"),
    Kind(
        "LIVENESS_KILLS",
        0.6,
        _WORK,
        "killed for its liveness probe within 3 minutes",
        "its liveness probe kills it",
        "correct the probe, or give it more time",
    ),
    Kind(
        "SERVICE_ACCOUNT_MISSING",
        0.95,
        _WORK,
        "FailedCreate for a ServiceAccount that does not exist",
        "its service account is missing",
        "create the service account",
    ),
    Kind("PODS_REFUSED", 0.75, _WORK, "FailedCreate, and Pods are missing", "its pods are refused", "look at admission"),
    Kind(
        "MOUNT_FAILED",
        0.85,
        _WORK,
        "FailedMount or FailedAttachVolume, and the Pod is not ready",
        "a volume cannot be mounted",
        "create what is mounted, or correct its name",
    ),
    Kind(
        "REFERENCE_MISSING",
        0.8,
        _WORK,
        "a ConfigMap, Secret or claim that it uses does not exist",
        "what it refers to does not exist",
        "create it, or correct the name",
    ),
    Kind("UNSCHEDULABLE", 0.6, _WORK, "PodScheduled is False", "no node takes it", "look at the scheduler's message"),
    Kind(
        "NODE_SELECTOR_NO_MATCH",
        0.85,
        _WORK,
        "its node selector or required affinity fits no node",
        "it asks for a node that does not exist",
        "correct the selector, or label a node",
    ),
    Kind(
        "TAINT_NOT_TOLERATED",
        0.85,
        _WORK,
        "a fitting node has a taint that it does not tolerate",
        "it does not tolerate a taint",
        "add the toleration, or take the taint away",
    ),
    Kind("NODES_CORDONED", 0.8, _WORK, "all fitting nodes are unschedulable", "all nodes for it are cordoned", "uncordon a node"),
    Kind(
        "PINNED_TO_CORDONED",
        0.8,
        _WORK,
        "its only nodes are unschedulable",
        "it may run on cordoned nodes only",
        "uncordon the node, or unpin it",
    ),
    Kind(
        "REQUEST_TOO_LARGE",
        0.85,
        _WORK,
        "no node has what it requests; .75 if some could",
        "it requests more than a node has",
        "lower the request",
    ),
    Kind(
        "ANTI_AFFINITY",
        0.8,
        _WORK,
        "the scheduler's message speaks of anti-affinity",
        "its anti-affinity leaves no node",
        "loosen the anti-affinity",
    ),
    Kind(
        "CLAIM_UNBOUND", 0.85, _WORK, "a Pod is pending and its claim is not bound", "its claim is not bound", "make claim and volume agree"
    ),
    Kind(
        "SERVICE_SELECTS_NOTHING",
        0.92,
        _SERVICE,
        "the selector matches no Pod and no template; .3 if nobody suffers",
        "its selector matches no pod",
        "correct the selector",
    ),
    Kind(
        "TARGET_PORT_UNKNOWN",
        0.88,
        _SERVICE,
        "its target port is no container's; .2 if nobody suffers",
        "its target port is no container's",
        "correct the target port",
    ),
    Kind(
        "PROTOCOL_MISMATCH",
        0.88,
        _SERVICE,
        "its protocol is not the container's; .55 if nobody suffers",
        "its protocol is not the container's",
        "correct the protocol",
    ),
    Kind(
        "ADDRESS_WRONG_PORT",
        0.9,
        _WORK,
        "its environment names a port that the Service has not; .6 if it does not fail",
        "it calls a port that the service has not",
        "correct the variable",
    ),
    Kind(
        "ADDRESS_UNKNOWN",
        0.9,
        _WORK,
        "its environment names a Service that does not exist",
        "it calls a service that does not exist",
        "correct the variable, or create the service",
    ),
    Kind("SERVICE_MISSING", 0.6, _WORK, "a called Service of its name does not exist", "its service does not exist", "create the service"),
    Kind(
        "BLAMED_BY_CALLERS",
        0.3,
        _WORK,
        "3 or more lines of failure name it",
        "its callers report failures of it",
        "look at it and its network",
    ),
    Kind(
        "LOG_FAILURES",
        0.3,
        _WORK,
        "2 or more lines of a panic, a full disk, a permission, a crash",
        "its log reports failures",
        "read its log",
    ),
    Kind("CPU_THROTTLED", 0.8, _WORK, "an alert of CPU throttling", "its CPU is throttled", "raise the CPU limit"),
    Kind("SATURATED", 0.5, _WORK, "an alert of another resource", "a resource is used up", "raise the limit"),
    Kind(
        "SLOW_ALONE",
        0.55,
        _WORK,
        "an alert of latency, and none of its callees is slow",
        "it is slow, and none of what it calls",
        "look at it and its network",
    ),
    Kind("ALERT_FIRES", 0.3, _WORK, "an alert that none of the others knows", "an alert fires", "see the alert"),
    Kind(
        "NODE_NETWORK_ALERT",
        0.9,
        _NODE,
        "an alert of the node's network; .45 if another node's is greater",
        "its network is disturbed",
        "look at the network of the node",
    ),
    Kind("NODE_LOAD_ALERT", 0.4, _NODE, "an alert of the node's load", "it is loaded", "move pods away"),
    Kind("TRAFFIC_DROPS_EVERYWHERE", 0.3, _NODE, "90 % of the workloads lose traffic", "traffic drops everywhere", "look at the network"),
    Kind("POD_NOT_READY", 0.35, _WORK, "a Pod is not ready", "pods are not ready", "", True),
    Kind("POD_PENDING", 0.35, _WORK, "a Pod is pending", "pods are pending", "", True),
    Kind("PODS_MISSING", 0.35, _WORK, "fewer Pods than desired", "pods are missing", "", True),
    Kind("UNAVAILABLE", 0.3, _WORK, "fewer Pods are ready than desired", "it is not fully available", "", True),
    Kind("NO_READY_ENDPOINT", 0.3, _WORK, "its Service has no ready Pod", "its service has no ready pod", "", True),
    Kind("PINNED_TO_NOT_READY", 0.4, _WORK, "its only nodes are not ready", "it may run on failed nodes only", "", True),
    Kind("SLOW_WITH_CALLEES", 0.2, _WORK, "an alert of latency, and a callee is slow too", "it is slow as what it calls", "", True),
    Kind("SANDBOX_FAILED", 0.55, _WORK, "FailedCreatePodSandBox", "its sandbox cannot be created", "", True),
)
# What a Node or a Namespace may bring about in a workload; beside such a cause it is no fault of the workload's own.
CONSEQUENCES: Final = frozenset(
    (
        *("UNSCHEDULABLE", "PINNED_TO_CORDONED", "NODES_CORDONED", "PODS_REFUSED", "REFERENCE_MISSING", "MOUNT_FAILED", "SERVICE_MISSING"),
        *("SLOW_ALONE", "SATURATED", "SANDBOX_FAILED", "PROBE_FAILING", "LIVENESS_KILLS", "CRASH_LOOP"),
    )
)
KIND_OF_NAME: Final = {one.name: one for one in FINDINGS}


class Finding(NamedTuple):
    """A finding on an object of the graph.

    rid: the object that counts for it, a workload, Node, Namespace. at: the object that shows it. weight: as far as the evidence goes.
    since, last: when its evidence began and was last; None for what has no beginning. holds: whether it is so now.
    evidence: keys of episodes, and the rids of objects, that show it. detail: values of both sides, in words.
    """

    name: str
    rid: str
    at: str
    weight: float
    detail: str
    since: int | None = None
    last: int | None = None
    holds: bool = True
    evidence: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        return KIND_OF_NAME[self.name]


def weight(name: str) -> float:
    """The greatest weight of a finding."""
    return KIND_OF_NAME[name].weight
