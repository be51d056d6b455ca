"""A container's command as a process of this machine: with the environment, the service account and the probe that its Pod declares."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx2

from runners.local.process import ServiceProcess
from scripts.control_plane.kube import Kube, Object
from scripts.control_plane.plane import write_kubeconfig

_TOKEN_S: Final = 7200
_REFERENCE: Final = re.compile(r"\$\((\w+)\)")


class ContainerProcess:
    """The first container of a Pod. It logs in to the API server as its Pod would: by the ServiceAccount's own, bound token.

    folder: its log and its token. address: of the Pod, of loopback. Volumes are not mounted, and an image's Python is this one.
    """

    def __init__(
        self, kube: Kube, pod: Object, folder: Path, address: str, server: str, authority: Path, environment: Mapping[str, str]
    ) -> None:
        self._kube, self._pod, self._address, self._more = kube, pod, address, environment
        self._server, self._authority = server, authority
        self._container: dict[str, Any] = pod["spec"]["containers"][0]
        self.process = ServiceProcess(pod["metadata"]["name"], folder)

    def start(self) -> None:
        command = [*self._container.get("command", ()), *self._container.get("args", ())]
        environment = self._environment()
        words = [_expanded(word, environment) for word in command]
        self.process.start([sys.executable if words[0] == "python" else words[0], *words[1:]], environment)

    def stop(self) -> None:
        self.process.stop()

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.exit_code()

    def is_ready(self) -> bool:
        """As its readiness probe over HTTP says; ready without one."""
        probe = self._container.get("readinessProbe", {}).get("httpGet")
        if probe is None:
            return True
        ports = {one.get("name"): one["containerPort"] for one in self._container.get("ports", ())}
        url = f"http://{self._address}:{ports.get(probe['port'], probe['port'])}{probe['path']}"
        try:
            return httpx2.get(url, timeout=2, trust_env=False).is_success
        except httpx2.HTTPError:
            return False

    def _environment(self) -> dict[str, str]:
        found = {"KUBECONFIG": str(self._login()), **self._more}
        for one in self._container.get("env", ()):
            source = one.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath", "")
            found[one["name"]] = self._field(source) if source else _expanded(one.get("value", ""), found)
        return found

    def _field(self, path: str) -> str:
        metadata = self._pod["metadata"]
        known = {"metadata.namespace": metadata["namespace"], "metadata.name": metadata["name"], "metadata.uid": metadata["uid"]}
        found: dict[str, str] = {**known, "status.podIP": self._address, "spec.nodeName": self._pod["spec"]["nodeName"]}
        return found[path]

    def _login(self) -> Path:
        metadata, spec = self._pod["metadata"], self._pod["spec"]
        account = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{spec.get('serviceAccountName', 'default')}/token"
        bound = {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
        asked = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_S, "boundObjectRef": bound},
        }
        token = self._kube.ask("POST", account, asked)["status"]["token"]
        folder = self.process.folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "token").touch(0o600)
        (folder / "token").write_text(token)
        return write_kubeconfig(
            folder / "kubeconfig", self._server, self._authority, {"tokenFile": str(folder / "token")}, metadata["namespace"]
        )


def _expanded(text: str, environment: dict[str, str]) -> str:
    return _REFERENCE.sub(lambda found: environment.get(found[1], found[0]), text)
