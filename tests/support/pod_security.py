"""The Pod Security Standard `restricted` (Kubernetes 1.27 to 1.36), as far as a pod's spec can break it."""

from collections.abc import Iterator
from typing import Any, Final

_VOLUMES: Final = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
_HOST: Final = ("hostNetwork", "hostPID", "hostIPC")


def breaches(spec: dict[str, Any]) -> Iterator[str]:
    """What admission to a namespace that enforces `restricted` would refuse."""
    yield from (name for name in _HOST if spec.get(name))
    for volume in spec.get("volumes", ()):
        yield from (f"volume {volume['name']}: {kind}" for kind in volume.keys() - {"name"} if kind not in _VOLUMES)
    pod = spec.get("securityContext", {})
    for one in (*spec.get("initContainers", ()), *spec["containers"]):
        yield from (f"{one['name']}: {breach}" for breach in _of_container(one, pod))


def _of_container(one: dict[str, Any], pod: dict[str, Any]) -> Iterator[str]:
    own = one.get("securityContext", {})
    both = pod | own
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if "ALL" not in own.get("capabilities", {}).get("drop", ()):
        yield "capabilities are not dropped"
    if set(own.get("capabilities", {}).get("add", ())) - {"NET_BIND_SERVICE"}:
        yield "capabilities are added"
    if both.get("runAsNonRoot") is not True:
        yield "runAsNonRoot"
    if both.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile"
    if any("hostPort" in port for port in one.get("ports", ())):
        yield "hostPort"
