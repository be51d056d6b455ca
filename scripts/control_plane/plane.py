"""The control plane as a whole: up, down, status; safe to repeat, able to mend what is half-started, and it leaves no process."""

import json
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from runners.local.process import ServiceProcess, require_free_port
from runners.local.service import Service, ServiceStatus, Tell, alone, ask_services, is_own_and_ready
from scripts.control_plane.binaries import SERVERS, build, missing
from scripts.control_plane.kube import Kube
from scripts.control_plane.servers import ApiServer, Controllers, Etcd, Kubelet, Ports, Scheduler

USERS: Final = {
    "admin": ("admin", "system:masters"),
    "kubelet": ("system:node-player", "system:masters"),
    "controllers": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
}
_READY_S: Final = 180.0


class ControlPlane:
    """One control plane with all its data, logs and logins in one folder.

    nodes: how many are played. images: those whose containers the kubelet runs as processes of this machine. environment: of those, more.
    """

    def __init__(
        self,
        folder: Path,
        ports: Ports,
        nodes: int = 3,
        images: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        tokens = self._tokens()
        self.etcd = Etcd(folder, ports)
        self.api = ApiServer(folder, ports, self.etcd, folder / "tokens.csv", tokens["admin"])
        self.controllers = Controllers(folder, ports, self.kubeconfig("controllers"), self.api)
        self.scheduler = Scheduler(folder, ports, self.kubeconfig("scheduler"))
        self.kubelet = Kubelet(folder, self.kubeconfig("kubelet"), nodes, images, environment or {})
        self.services: tuple[Service, ...] = (self.etcd, self.api, self.controllers, self.scheduler, self.kubelet)

    def up(self, tell: Tell = lambda _said: None) -> None:
        """Return when every server answers; what runs already is kept. StackFault where one cannot be started."""
        with alone(self.folder):
            build(missing(SERVERS), tell)
            self._write_logins()
            for service in self.services:
                self._start(service, tell)

    def _start(self, service: Service, tell: Tell) -> None:
        if is_own_and_ready(service):
            return
        service.process.stop()
        for flag, port in service.ports.items():
            require_free_port(service.process.name, port, flag)
        began = time.monotonic()
        service.start()
        service.process.await_ready(lambda: is_own_and_ready(service), _READY_S)
        tell(f"{service.process.name} answers, {time.monotonic() - began:.0f} s after its start.")
        if service is self.api:
            self._write_logins()

    def down(self) -> list[str]:
        """Stop what runs, the containers' processes too; the names of what was stopped."""
        with alone(self.folder):
            stopped = [one.process.name for one in reversed(self.services) if one.process.stop()]
            # A kubelet that was killed leaves what it ran.
            for place in self.kubelet.process.folder.glob("pods/*"):
                ServiceProcess(place.name, place).stop()
            return stopped

    def wipe(self) -> None:
        """Stop everything and delete all data, logs and logins."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def status(self) -> list[ServiceStatus]:
        return ask_services(self.services)

    def kube(self, token: str = "") -> Kube:
        return self.api.kube(token)

    def kubeconfig(self, user: str = "admin") -> Path:
        """The file by which a user logs in, for any client of Kubernetes."""
        return self.folder / f"{user}.kubeconfig"

    def _tokens(self) -> dict[str, str]:
        path = self.folder / "tokens.json"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.touch(0o600)
            path.write_text(json.dumps({user: secrets.token_hex(16) for user in USERS}))
        found: dict[str, str] = json.loads(path.read_text())
        return found

    def _write_logins(self) -> None:
        tokens = self._tokens()
        table = self.folder / "tokens.csv"
        table.touch(0o600)
        table.write_text("".join(f'{tokens[user]},{name},{user},"{group}"\n' for user, (name, group) in USERS.items()))
        for user, token in tokens.items():
            write_kubeconfig(self.kubeconfig(user), self.api.url, self.api.authority, {"token": token})


def write_kubeconfig(path: Path, server: str, authority: Path, user: dict[str, str], namespace: str = "default") -> Path:
    """A kubeconfig of one cluster and one user."""
    cluster = {"name": "lab", "cluster": {"server": server, "certificate-authority": str(authority)}}
    context = {"name": "lab", "context": {"cluster": "lab", "user": "lab", "namespace": namespace}}
    login = {"name": "lab", "user": user}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "contexts": [context],
        "users": [login],
        "current-context": "lab",
    }
    path.touch(0o600)
    path.write_text(json.dumps(config))
    return path
