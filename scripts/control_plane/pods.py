"""What a played kubelet does with one Pod: starts it, lets it crash, succeed or fail, and ends it.

An image that ends in `:broken` crashes again and again. A Pod that is to end succeeds, and fails if its image ends in `:failing`. One whose
image is to run is what its process is: ready when its probe says so, succeeded or failed by its exit code, restarted if it should not end.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import httpx2

from scripts.control_plane.containers import ContainerProcess
from scripts.control_plane.kube import STRATEGIC, Kube, KubeFault, Object

_JOB_S: Final = 2.0
_CRASH_S: Final = 3.0
_LOOK_S: Final = 0.5
_FAILED: Final = "Failed"
_SUCCEEDED: Final = "Succeeded"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class PlayedPod:
    """One Pod that is bound to a node. For one thread.

    process: runs its container, None where it is only played. `due`: when it wants to be looked at again, monotonic.
    """

    def __init__(self, kube: Kube, pod: Object, address: str, process: ContainerProcess | None) -> None:
        self._kube, self._pod, self._address, self._process = kube, pod, address, process
        self._path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        self._image = str(pod["spec"]["containers"][0]["image"])
        is_of_job = any(one["kind"] == "Job" for one in pod["metadata"].get("ownerReferences", ()))
        self._ends = is_of_job or pod["spec"].get("restartPolicy") == "Never"
        self._restarts = 0
        self._said: tuple[Any, ...] = ()
        self._began = now()
        self.due = float("inf")
        self._next: Callable[[], None] = self._look

    def start(self) -> None:
        if self._process is not None:
            self._process.start()
            self._say("Running", {"running": {"startedAt": self._began}}, is_ready=False)
            self._later(_LOOK_S, self._look)
        elif self._image.endswith(":broken"):
            self._crash()
        else:
            self._tell("Started", f"Started container {self._name}")
            self._say("Running", {"running": {"startedAt": self._began}}, is_ready=True)
            if self._ends:
                self._later(_JOB_S, lambda: self._end(1 if self._image.endswith(":failing") else 0))

    def act(self) -> None:
        """What is due."""
        self.due = float("inf")
        self._next()

    def stop(self) -> None:
        """The Pod is to go: its process ends, and the API server may forget it."""
        if self._process is not None:
            self._process.stop()
        self._tell("Killing", f"Stopping container {self._name}")
        self._kube.delete(self._path, grace_s=0, uid=self._pod["metadata"]["uid"], missing_ok=True)

    def kill(self) -> None:
        if self._process is not None:
            self._process.stop()

    @property
    def _name(self) -> str:
        return str(self._pod["spec"]["containers"][0]["name"])

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self.due, self._next = time.monotonic() + seconds, act

    def _look(self) -> None:
        assert self._process is not None
        code = self._process.exit_code()
        if code is None:
            self._say("Running", {"running": {"startedAt": self._began}}, is_ready=self._process.is_ready())
            self._later(_LOOK_S, self._look)
        elif self._ends:
            self._end(code)
        else:
            self._restarts += 1
            self._process.start()
            self._later(_LOOK_S, self._look)

    def _crash(self) -> None:
        self._restarts += 1
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": f"back-off restarting failed container {self._name}"}}
        ended = {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": self._began, "finishedAt": now()}}
        self._say("Running", waiting, is_ready=False, last=ended)
        self._tell("BackOff", f"Back-off restarting failed container {self._name}", "Warning")
        self._later(_CRASH_S * min(self._restarts, 10), self._crash)

    def _end(self, code: int) -> None:
        reason = "Error" if code else "Completed"
        ended = {"terminated": {"exitCode": code, "reason": reason, "startedAt": self._began, "finishedAt": now()}}
        self._say(_FAILED if code else _SUCCEEDED, ended, is_ready=False)

    def _say(self, phase: str, state: dict[str, Any], *, is_ready: bool, last: dict[str, Any] | None = None) -> None:
        said = (phase, state, is_ready, last, self._restarts)
        if said == self._said:
            return
        conditions = [
            {"type": name, "status": str(is_ready or name in ("Initialized", "PodScheduled")), "lastTransitionTime": now()}
            for name in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ]
        container = {"name": self._name, "image": self._image, "imageID": "", "ready": is_ready, "started": is_ready}
        container |= {"restartCount": self._restarts, "state": state} | ({"lastState": last} if last else {})
        body = {"phase": phase, "conditions": conditions, "containerStatuses": [container], "startTime": self._began}
        body |= {"hostIP": "10.0.0.1", "podIP": self._address, "podIPs": [{"ip": self._address}]}
        metadata = {"uid": self._pod["metadata"]["uid"]}
        self._kube.patch(f"{self._path}/status", {"metadata": metadata, "status": body}, STRATEGIC)
        self._said = said

    def _tell(self, reason: str, message: str, kind: str = "Normal") -> None:
        metadata, at = self._pod["metadata"], now()
        about = {"apiVersion": "v1", "kind": "Pod", **{name: metadata[name] for name in ("namespace", "name", "uid")}}
        source = {"component": "kubelet", "host": self._pod["spec"]["nodeName"]}
        body: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name']}.", "namespace": metadata["namespace"]},
        }
        body |= {"involvedObject": about, "reason": reason, "message": message, "type": kind, "count": 1, "source": source}
        body |= {"firstTimestamp": at, "lastTimestamp": at}
        try:
            self._kube.ask("POST", f"/api/v1/namespaces/{metadata['namespace']}/events", body)
        except KubeFault as fault:
            # A namespace that is about to go takes no Event, and its Pods are to go nevertheless.
            if fault.status not in (httpx2.codes.FORBIDDEN, httpx2.codes.NOT_FOUND):
                raise
