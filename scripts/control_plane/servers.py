"""The servers of the control plane: what each is started with, and when it answers."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from runners.local.process import ServiceProcess
from runners.local.service import HOST
from runners.local.services import run_tool
from scripts.control_plane.binaries import program
from scripts.control_plane.kube import Kube

# Pods that the controllers make and the scheduler places come by the thousand in a test.
_RATE: Final = ("--kube-api-qps=400", "--kube-api-burst=600")


@dataclass(frozen=True, slots=True)
class Ports:
    """Of loopback."""

    api: int
    etcd: int
    etcd_peer: int
    controllers: int
    scheduler: int

    @classmethod
    def at(cls, first: int) -> "Ports":
        """Five in a row, the API server's first."""
        return cls(*range(first, first + 5))


class Etcd:
    """The store. Nothing is synchronised to disk: a lab may lose what a machine loses."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.process = ServiceProcess("etcd", folder / "etcd")
        self.ports = {"--port (+1)": ports.etcd, "--port (+2)": ports.etcd_peer}
        self.url = f"http://{HOST}:{ports.etcd}"
        self._peer = f"http://{HOST}:{ports.etcd_peer}"

    def start(self) -> None:
        urls = [f"--listen-client-urls={self.url}", f"--advertise-client-urls={self.url}"]
        peers = [f"--listen-peer-urls={self._peer}", f"--initial-advertise-peer-urls={self._peer}", f"--initial-cluster=lab={self._peer}"]
        data = [f"--data-dir={self.process.folder / 'data'}", "--name=lab", "--unsafe-no-fsync", "--watch-progress-notify-interval=5s"]
        self.process.start([program("etcd"), *data, *urls, *peers, "--log-level=warn"])

    def is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/health", timeout=2, trust_env=False).is_success
        except httpx2.HTTPError:
            return False

    def compact(self) -> None:
        """Forget every version but the newest; who asks for an older one is told that it is gone."""
        with httpx2.Client(base_url=self.url, timeout=10, trust_env=False) as http:
            revision = http.post("/v3/kv/range", json={"key": "YQ=="}).raise_for_status().json()["header"]["revision"]
            http.post("/v3/kv/compaction", json={"revision": revision, "physical": True}).raise_for_status()


class ApiServer:
    """It makes its own certificate; users log in by tokens that the lab made."""

    def __init__(self, folder: Path, ports: Ports, etcd: Etcd, tokens: Path, admin: str) -> None:
        self.process = ServiceProcess("kube-apiserver", folder / "kube-apiserver")
        self.ports = {"--port": ports.api}
        self.url = f"https://{HOST}:{ports.api}"
        self.authority = self.process.folder / "tls" / "apiserver.crt"
        self.key = folder / "service-accounts.key"
        self._etcd, self._tokens, self._admin = etcd, tokens, admin

    def start(self) -> None:
        self.process.folder.mkdir(parents=True, exist_ok=True)
        if not self.key.exists():
            run_tool(["openssl", "genrsa", "-out", str(self.key), "2048"], "The key of the service accounts could not be made")
            self.key.chmod(0o600)
        where = [f"--bind-address={HOST}", f"--advertise-address={HOST}", f"--secure-port={self.ports['--port']}"]
        issuer = ["--service-account-issuer=https://kubernetes.default.svc", f"--service-account-key-file={self.key}"]
        rights = [f"--token-auth-file={self._tokens}", "--authorization-mode=Node,RBAC", "--allow-privileged=true"]
        more = ["--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none", f"--etcd-servers={self._etcd.url}"]
        keys = [f"--service-account-signing-key-file={self.key}", f"--cert-dir={self.authority.parent}"]
        self.process.start([program("kube-apiserver"), *where, *issuer, *keys, *rights, *more])

    def is_ready(self) -> bool:
        if not self.authority.exists():
            return False
        kube = self.kube()
        try:
            return kube.is_ready()
        finally:
            kube.close()

    def kube(self, token: str = "") -> Kube:
        """A client; the administrator's unless a token is given."""
        return Kube(self.url, self.authority, token or self._admin)


class Controllers:
    def __init__(self, folder: Path, ports: Ports, kubeconfig: Path, api: ApiServer) -> None:
        self.process = ServiceProcess("kube-controller-manager", folder / "kube-controller-manager")
        self.ports = {"--port (+3)": ports.controllers}
        self._kubeconfig, self._api = kubeconfig, api

    def start(self) -> None:
        where = [f"--kubeconfig={self._kubeconfig}", f"--bind-address={HOST}", f"--secure-port={self.ports['--port (+3)']}"]
        keys = [f"--service-account-private-key-file={self._api.key}", f"--root-ca-file={self._api.authority}"]
        more = ["--leader-elect=false", "--use-service-account-credentials", "--allocate-node-cidrs=false", *_RATE]
        self.process.start([program("kube-controller-manager"), *where, *keys, *more])

    def is_ready(self) -> bool:
        return True


class Scheduler:
    def __init__(self, folder: Path, ports: Ports, kubeconfig: Path) -> None:
        self.process = ServiceProcess("kube-scheduler", folder / "kube-scheduler")
        self.ports = {"--port (+4)": ports.scheduler}
        self._kubeconfig = kubeconfig

    def start(self) -> None:
        where = [f"--kubeconfig={self._kubeconfig}", f"--bind-address={HOST}", f"--secure-port={self.ports['--port (+4)']}"]
        self.process.start([program("kube-scheduler"), *where, "--leader-elect=false", *_RATE])

    def is_ready(self) -> bool:
        return True


class Kubelet:
    """Plays the kubelets of all nodes. images: those whose containers run as processes of this machine. environment: of those, more."""

    def __init__(self, folder: Path, kubeconfig: Path, nodes: int, images: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self.process = ServiceProcess("kubelet", folder / "kubelet")
        self.ports: dict[str, int] = {}
        self._kubeconfig, self._nodes, self._images, self._environment = kubeconfig, nodes, images, environment

    @property
    def _ready(self) -> Path:
        return self.process.folder / "ready"

    def start(self) -> None:
        self._ready.unlink(missing_ok=True)
        run = [f"--run={image}" for image in self._images] + [f"--env={name}={value}" for name, value in self._environment.items()]
        arguments = [f"--kubeconfig={self._kubeconfig}", f"--folder={self.process.folder}", f"--nodes={self._nodes}", *run]
        self.process.start([sys.executable, "-m", "scripts.control_plane.kubelet", *arguments])

    def is_ready(self) -> bool:
        return self._ready.exists()
