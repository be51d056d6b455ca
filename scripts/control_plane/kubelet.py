"""Plays the kubelets of all nodes: nodes are ready and renew their leases, Pods that are bound to one start, crash, end and go.

A process of its own (`python -m scripts.control_plane.kubelet`); on SIGTERM it ends the processes that it runs for containers.
"""

import queue
import signal
import threading
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml

from runners.local.process import ServiceProcess
from scripts.control_plane.containers import ContainerProcess
from scripts.control_plane.kube import MERGE, Kube, KubeFault, Object
from scripts.control_plane.pods import PlayedPod, now

_WORKERS: Final = 6
_BEAT_S: Final = 10.0
_STATUS_S: Final = 300.0
_ENDED: Final = ("Succeeded", "Failed")
_ROOM: Final = {"cpu": "256", "memory": "1Ti", "pods": "5000"}


class Player:
    """All nodes and their Pods. run: beginnings of the images whose containers run as processes. environment: of those, more."""

    def __init__(self, kubeconfig: Path, folder: Path, run: tuple[str, ...], environment: dict[str, str]) -> None:
        cluster = yaml.safe_load(kubeconfig.read_text())
        self._server = cluster["clusters"][0]["cluster"]["server"]
        self._authority = Path(cluster["clusters"][0]["cluster"]["certificate-authority"])
        self._kube = Kube(self._server, self._authority, cluster["users"][0]["user"]["token"])
        self._folder, self._run, self._environment = folder, run, environment
        self._addresses = count(1)
        self._queues: list[queue.Queue[tuple[bool, Object]]] = [queue.Queue() for _ in range(_WORKERS)]
        self._played: list[dict[str, PlayedPod]] = [{} for _ in range(_WORKERS)]
        self._told: dict[str, float] = {}
        self._stopped: set[str] = set()
        self.stop = threading.Event()

    def register(self, nodes: int) -> None:
        for number in range(1, nodes + 1):
            name = f"node-{number}"
            labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": f"zone-{number}"}
            self._kube.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
        self._beat()

    def follow(self) -> None:
        """Until told to stop."""
        threads = [threading.Thread(target=self._keep_beating, daemon=True)]
        threads += [threading.Thread(target=self._work, args=(number,), daemon=True) for number in range(_WORKERS)]
        for thread in threads:
            thread.start()
        threading.Thread(target=self._watch, daemon=True).start()
        self.stop.wait()
        for thread in threads:
            thread.join(5)
        for played in self._played:
            for pod in list(played.values()):
                pod.kill()

    def _watch(self) -> None:
        while not self.stop.is_set():
            try:
                pods, version = self._kube.objects_at("/api/v1/pods")
                there = {pod["metadata"]["uid"] for pod in pods}
                for one in {uid for played in self._played for uid in list(played)} - there:
                    self._give({"metadata": {"uid": one}}, is_gone=True)
                for pod in pods:
                    self._give(pod)
                for what, pod in self._kube.watch("/api/v1/pods", version):
                    self._give(pod, is_gone=what == "DELETED")
            except KubeFault as fault:
                print(f"the Pods are read anew: {fault}", flush=True)
                self.stop.wait(0.5)

    def _give(self, pod: Object, *, is_gone: bool = False) -> None:
        self._queues[hash(pod["metadata"]["uid"]) % _WORKERS].put((is_gone, pod))

    def _work(self, number: int) -> None:
        played, given = self._played[number], self._queues[number]
        while not self.stop.is_set():
            try:
                is_gone, pod = given.get(timeout=0.2)
                self._patiently(lambda pod=pod, is_gone=is_gone: self._see(played, pod, is_gone=is_gone))
            except queue.Empty:
                pass
            for one in [one for one in played.values() if one.due <= time.monotonic()]:
                self._patiently(one.act)

    def _patiently(self, act: Any) -> None:
        """Try again while the API server is away or busy; what it refuses is printed."""
        while not self.stop.is_set():
            try:
                act()
            except KubeFault as fault:
                if fault.status not in (0, 429, 500, 503):
                    print(fault, flush=True)
                    return
                self.stop.wait(0.5)
            else:
                return

    def _see(self, played: dict[str, PlayedPod], pod: Object, *, is_gone: bool) -> None:
        uid = pod["metadata"]["uid"]
        if is_gone:
            self._stopped.discard(uid)
            gone = played.pop(uid, None)
            if gone is not None:
                gone.kill()
        elif not pod["spec"].get("nodeName"):
            return
        elif pod["metadata"].get("deletionTimestamp"):
            # What is told of a Pod on its way out may come twice; nothing is to be said of it once it is gone.
            if uid not in self._stopped:
                (played.get(uid) or self._of(pod)).stop()
                played.pop(uid, None)
                self._stopped.add(uid)
        elif uid not in played and pod.get("status", {}).get("phase") not in _ENDED:
            played[uid] = self._of(pod)
            played[uid].start()

    def _of(self, pod: Object) -> PlayedPod:
        number = next(self._addresses)
        image = str(pod["spec"]["containers"][0]["image"])
        if not image.startswith(self._run or ("\n",)):
            # One that ran before this kubelet did keeps its address.
            address = pod.get("status", {}).get("podIP") or f"10.{200 + int(time.time()) % 50}.{number // 250 % 250}.{number % 250 + 1}"
            return PlayedPod(self._kube, pod, address, None)
        address = pod.get("status", {}).get("podIP") or f"127.{1 + int(time.time()) % 250}.{number // 250 % 250}.{number % 250 + 1}"
        folder = self._folder / "pods" / pod["metadata"]["uid"]
        # One that ran before this kubelet did is no child of it.
        ServiceProcess("left", folder).stop()
        process = ContainerProcess(self._kube, pod, folder, address, self._server, self._authority, self._environment)
        return PlayedPod(self._kube, pod, address, process)

    def _keep_beating(self) -> None:
        while not self.stop.wait(_BEAT_S):
            self._patiently(self._beat)

    def _beat(self) -> None:
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        """Renew the leases; a node's status only when it is due, as kubelets do."""
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "played"}
        for node in self._kube.objects("/api/v1/nodes"):
            name = node["metadata"]["name"]
            if time.monotonic() >= self._told.get(name, 0.0):
                body = {"conditions": [{**ready, "lastHeartbeatTime": now()}], "allocatable": _ROOM, "capacity": _ROOM}
                self._kube.patch(f"/api/v1/nodes/{name}/status", {"status": body}, MERGE)
                self._told[name] = time.monotonic() + _STATUS_S
            spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": at}
            lease = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": name, "namespace": "kube-node-lease"},
                "spec": spec,
            }
            self._kube.ask("PATCH", f"{leases}/{name}", lease, "application/apply-patch+yaml", {"fieldManager": "kubelet", "force": "true"})


def main(
    kubeconfig: Annotated[Path, typer.Option("--kubeconfig")],
    folder: Annotated[Path, typer.Option("--folder")],
    nodes: Annotated[int, typer.Option("--nodes")] = 3,
    run: Annotated[list[str] | None, typer.Option("--run")] = None,
    env: Annotated[list[str] | None, typer.Option("--env")] = None,
) -> None:
    environment = dict(one.split("=", 1) for one in env or ())
    player = Player(kubeconfig, folder, tuple(run or ()), environment)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: player.stop.set())
    player.register(nodes)
    (folder / "ready").touch()
    player.follow()


if __name__ == "__main__":
    typer.run(main)
