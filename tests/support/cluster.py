"""A cluster that a test changes as it likes, behind an API server over HTTP: discovery, lists in pages, watches with bookmarks, leases.

It is no Kubernetes: nothing is validated, nobody is refused. What it has of the API server is what clients meet: one resourceVersion for
all objects, streamed and paged lists, changes in order, 410 after a compaction, conflicts of writes, connections that break, an outage.
"""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

END = "k8s.io/initial-events-end"
BOOKMARK_S = 1.0


class Resource(NamedTuple):
    kind: str
    group: str
    plural: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def path(self) -> str:
        return f"/apis/{self.api_version}/{self.plural}" if self.group else f"/api/v1/{self.plural}"


RESOURCES = (
    Resource("Pod", "", "pods"),
    Resource("Node", "", "nodes"),
    Resource("Namespace", "", "namespaces"),
    Resource("Service", "", "services"),
    Resource("Secret", "", "secrets"),
    Resource("ConfigMap", "", "configmaps"),
    Resource("Event", "", "events"),
    Resource("Deployment", "apps", "deployments"),
    Resource("ReplicaSet", "apps", "replicasets"),
    Resource("Gateway", "networking.istio.io", "gateways"),
)
OF_KIND = {one.kind: one for one in RESOURCES}
Key = tuple[str, str, str]


class Cluster:
    """The cluster and its API server. streams: whether lists may be streamed, as from Kubernetes 1.32 on."""

    def __init__(self, *, streams: bool = True) -> None:
        self.streams = streams
        self.is_down = False
        self._version = itertools.count(100)
        self._objects: dict[Key, dict[str, Any]] = {}
        self._history: list[tuple[int, str, dict[str, Any]]] = []
        self._compacted = 0
        self._leases: dict[str, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._epoch = 0
        self.lists = 0
        self._start(0)

    def _start(self, port: int) -> None:
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                cluster._get(self)

            def do_POST(self) -> None:
                cluster._put(self)

            def do_PUT(self) -> None:
                cluster._put(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    # What a test does

    def put(self, kind: str, name: str, namespace: str = "shop", **body: Any) -> dict[str, Any]:
        """Make the object, or replace it under its uid."""
        key = (kind, namespace, name)
        with self._changed:
            version = next(self._version)
            held = self._objects.get(key)
            uid = held["metadata"]["uid"] if held else str(uuid4())
            metadata = {"name": name, "uid": uid, "resourceVersion": str(version), **body.pop("metadata", {})}
            metadata |= {"namespace": namespace} if namespace else {}
            one = {"apiVersion": OF_KIND[kind].api_version, "kind": kind, "metadata": metadata, **body}
            self._objects[key] = one
            self._tell(version, "MODIFIED" if held else "ADDED", one)
        return one

    def delete(self, kind: str, name: str, namespace: str = "shop") -> None:
        with self._changed:
            version = next(self._version)
            one = self._objects.pop((kind, namespace, name))
            self._tell(version, "DELETED", {**one, "metadata": {**one["metadata"], "resourceVersion": str(version)}})

    def _tell(self, version: int, what: str, one: dict[str, Any]) -> None:
        self._history.append((version, what, one))
        self._changed.notify_all()

    def compact(self) -> None:
        """Forget all history, and break the watches: who comes back with an old version has to list anew."""
        with self._changed:
            self._compacted = next(self._version)
            self._history.clear()
        self.break_watches()

    def break_watches(self) -> None:
        with self._changed:
            self._epoch += 1
            self._changed.notify_all()

    def go_down(self) -> None:
        """No answer but connections that are refused or closed."""
        self.is_down = True
        self.break_watches()
        self._http.shutdown()
        self._http.server_close()

    def come_back(self) -> None:
        self.is_down = False
        self._start(self.port)

    def objects(self, *kinds: str) -> list[dict[str, Any]]:
        with self._changed:
            return [one for (kind, _, _), one in self._objects.items() if kind in kinds or not kinds]

    def holder(self) -> str:
        return "".join(str(one["spec"].get("holderIdentity") or "") for one in self._leases.values())

    def kubeconfig(self, folder: Path) -> str:
        path = folder / f"kubeconfig-{self.port}.json"
        cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
        user = {"name": "u", "user": {"token": "t"}}
        path.write_text(json.dumps({"current-context": "c", "clusters": [cluster], "contexts": [context], "users": [user]}))
        return str(path)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self.is_down:
            self.go_down()

    # What clients meet

    def _get(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        resource = next((one for one in RESOURCES if one.path == parts.path), None)
        if resource is not None and "watch" in asked:
            self._watch(request, resource, asked)
        elif resource is not None:
            self._list(request, resource, asked)
        elif "/leases/" in parts.path:
            held = self._leases.get(parts.path)
            _answer(request, held or _status(404, "not found"), 200 if held else 404)
        else:
            found = self._discovered(parts.path)
            _answer(request, _status(404, "not found") if found is None else found, 404 if found is None else 200)

    def _discovered(self, path: str) -> Any:
        if path == "/readyz":
            return {}
        groups = sorted({one.group for one in RESOURCES if one.group})
        if path == "/apis":
            return {"groups": [{"name": group, "preferredVersion": {"groupVersion": f"{group}/v1"}} for group in groups]}
        held = [one for one in RESOURCES if path == one.path.rpartition("/")[0]]
        return {"resources": [{"name": one.plural, "kind": one.kind, "verbs": ["list", "watch"]} for one in held]} if held else None

    def _of(self, resource: Resource) -> tuple[int, list[dict[str, Any]]]:
        with self._changed:
            return next(self._version), [one for (kind, _, _), one in sorted(self._objects.items()) if kind == resource.kind]

    def _list(self, request: BaseHTTPRequestHandler, resource: Resource, asked: dict[str, str]) -> None:
        self.lists += 1
        version, held = self._of(resource)
        at, limit = int(asked.get("continue", "0")), int(asked.get("limit", "500"))
        more = {"continue": str(at + limit)} if len(held) > at + limit else {}
        items = [{name: value for name, value in one.items() if name not in ("kind", "apiVersion")} for one in held[at : at + limit]]
        _answer(request, {"metadata": {"resourceVersion": str(version), **more}, "items": items})

    def _watch(self, request: BaseHTTPRequestHandler, resource: Resource, asked: dict[str, str]) -> None:
        if "sendInitialEvents" in asked and not self.streams:
            _answer(request, _status(422, "sendInitialEvents is forbidden"), 422)
            return
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.close_connection = True
        try:
            for line in self._lines(resource, asked):
                data = json.dumps(line).encode() + b"\n"
                request.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                request.wfile.flush()
            request.wfile.write(b"0\r\n\r\n")
        except OSError:
            return

    def _lines(self, resource: Resource, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
        epoch = self._epoch
        if "sendInitialEvents" in asked:
            self.lists += 1
            version, held = self._of(resource)
            yield from ({"type": "ADDED", "object": one} for one in held)
            yield _bookmark(version, is_end=True)
        else:
            version = int(asked["resourceVersion"])
            if version < self._compacted:
                yield {"type": "ERROR", "object": _status(410, "too old resource version")}
                return
        until = time.monotonic() + float(asked["timeoutSeconds"])
        while epoch == self._epoch and time.monotonic() < until:
            with self._changed:
                news = [(at, what, one) for at, what, one in self._history if at > version and one["kind"] == resource.kind]
                if not news and epoch == self._epoch:
                    is_quiet = not self._changed.wait(BOOKMARK_S)
            for at, what, one in news:
                version = at
                yield {"type": what, "object": one}
            if not news and is_quiet:
                yield _bookmark(version)

    def _put(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        path = request.path if request.command == "PUT" else f"{request.path}/{body['metadata']['name']}"
        with self._changed:
            held = self._leases.get(path)
            is_stale = held is not None and body["metadata"].get("resourceVersion") != held["metadata"]["resourceVersion"]
            if is_stale or (request.command == "POST" and held is not None):
                _answer(request, _status(409, "the object has been modified"), 409)
                return
            body["metadata"]["resourceVersion"] = str(next(self._version))
            self._leases[path] = body
        _answer(request, body)


def _status(code: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "code": code, "message": message}


def _bookmark(version: int, *, is_end: bool = False) -> dict[str, Any]:
    metadata: dict[str, Any] = {"resourceVersion": str(version)} | ({"annotations": {END: "true"}} if is_end else {})
    return {"type": "BOOKMARK", "object": {"metadata": metadata}}


def _answer(request: BaseHTTPRequestHandler, body: Any, status: int = 200) -> None:
    data = json.dumps(body).encode()
    request.send_response(status)
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)
