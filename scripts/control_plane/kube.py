"""A small client of the API server: what tests and the played kubelet do in a cluster, each in one call."""

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx2

MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
_APPLY: Final = "application/apply-patch+yaml"
_NOT_FOUND: Final = 404
_BUSY: Final = frozenset({429, 500, 503, 504})
_PAGE: Final = "500"
Object = dict[str, Any]


class KubeFault(Exception):
    """The API server refuses, or is away (status 0)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Kube:
    """One user at one API server. Safe to use from several threads."""

    def __init__(self, server: str, authority: Path, token: str) -> None:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=16)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        tls = ssl.create_default_context(cafile=str(authority))
        self._http = httpx2.Client(base_url=server, verify=tls, headers=headers, trust_env=False, limits=limits, timeout=120)
        self._paths: dict[tuple[str, str], tuple[str, bool]] = {}

    def close(self) -> None:
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        content: str = "application/json",
        asked: Mapping[str, str] | None = None,
    ) -> Object:
        """The answer; KubeFault for any but 2xx."""
        headers = {} if body is None else {"Content-Type": content}
        data = None if body is None else json.dumps(body).encode()
        try:
            found = self._http.request(method, path, params=dict(asked or {}), headers=headers, content=data)
        except httpx2.HTTPError as error:
            raise KubeFault(0, f"{method} {path}: {type(error).__name__}") from None
        if not found.is_success:
            raise KubeFault(found.status_code, f"{method} {path}: {found.text[:400]}")
        return dict(found.json()) if found.headers.get("content-type", "").startswith("application/json") else {}

    def is_ready(self) -> bool:
        try:
            self.ask("GET", "/readyz")
        except KubeFault:
            return False
        return True

    def objects(self, path: str, **asked: str) -> list[Object]:
        return self.objects_at(path, **asked)[0]

    def objects_at(self, path: str, **asked: str) -> tuple[list[Object], str]:
        """All objects of a collection, and the resourceVersion of the list."""
        found: list[Object] = []
        more = ""
        while True:
            page = self.ask("GET", path, asked={"limit": _PAGE, **asked} | ({"continue": more} if more else {}))
            found += page["items"] or []
            more = page["metadata"].get("continue", "")
            if not more:
                return found, page["metadata"]["resourceVersion"]

    def watch(self, path: str, version: str, seconds: int = 300) -> Iterator[tuple[str, Object]]:
        """Changes since a version, until the API server ends the watch; KubeFault where it breaks."""
        asked = {"watch": "1", "resourceVersion": version, "timeoutSeconds": str(seconds)}
        try:
            with self._http.stream("GET", path, params=asked, timeout=httpx2.Timeout(30, read=seconds + 10)) as response:
                for line in response.iter_lines():
                    change = json.loads(line)
                    if change["type"] == "ERROR":
                        raise KubeFault(change["object"].get("code", 0), "the watch ended")
                    yield change["type"], change["object"]
        except httpx2.HTTPError as error:
            raise KubeFault(0, f"watch {path}: {type(error).__name__}") from None

    def path(self, one: Object) -> str:
        """Where an object is, by its kind, namespace and name."""
        collection = self.collection(one["apiVersion"], one["kind"], one["metadata"].get("namespace", ""))
        return f"{collection}/{one['metadata']['name']}"

    def collection(self, version: str, kind: str, namespace: str = "") -> str:
        """The path of a kind's objects, of one namespace or of all."""
        if (version, kind) not in self._paths:
            base = f"/apis/{version}" if "/" in version else f"/api/{version}"
            for one in self.ask("GET", base)["resources"]:
                if "/" not in one["name"]:
                    self._paths[version, one["kind"]] = f"{base}/{{}}{one['name']}", one["namespaced"]
        path, is_namespaced = self._paths[version, kind]
        return path.format(f"namespaces/{namespace}/" if is_namespaced and namespace else "")

    def apply(self, *objects: Object) -> None:
        """Server-side apply, each tried for a while: a namespace or a CustomResourceDefinition may just have been made."""
        for one in objects:
            self._patiently("PATCH", one)

    def _patiently(self, method: str, one: Object, within_s: float = 20.0) -> None:
        until = time.monotonic() + within_s
        while True:
            try:
                self.ask(method, self.path(one), one, _APPLY, {"fieldManager": "lab", "force": "true"})
            except (KubeFault, KeyError) as fault:
                is_final = isinstance(fault, KubeFault) and fault.status not in {0, _NOT_FOUND, *_BUSY}
                if is_final or time.monotonic() > until:
                    raise
                time.sleep(0.3)
            else:
                return

    def patch(self, path: str, body: Object, content: str = MERGE) -> Object:
        return self.ask("PATCH", path, body, content)

    def delete(self, path: str, *, grace_s: int | None = None, uid: str = "", missing_ok: bool = False) -> None:
        body: Object = {"propagationPolicy": "Background"}
        body |= {} if grace_s is None else {"gracePeriodSeconds": grace_s}
        body |= {"preconditions": {"uid": uid}} if uid else {}
        try:
            self.ask("DELETE", path, body)
        except KubeFault as fault:
            if not (missing_ok and fault.status == _NOT_FOUND):
                raise
