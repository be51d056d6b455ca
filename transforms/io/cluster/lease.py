"""The lease by which one of several replicas is the one that writes.

Time is measured by each replica's own monotonic clock, from the moment it saw the lease change: clocks need not agree, and may be set.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from transforms.io.cluster.api import ApiClient, ApiFault

DURATION_S: Final = 10.0
# Whoever cannot renew gives up before others may take over.
GIVE_UP_S: Final = 7.0
RENEW_S: Final = 2.0
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class Lease:
    """A Lease object of Kubernetes and this process's claim to it.

    identity: the process's name in it, another for each process. clock: seconds, monotonic.
    """

    def __init__(self, api: ApiClient, namespace: str, name: str, identity: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._base = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._path = f"{self._base}/{name}"
        self._name, self._namespace, self._identity = name, namespace, identity
        self._clock = clock
        self._seen: tuple[str, float] = ("", 0.0)
        self._renewed = float("-inf")

    @property
    def holds(self) -> bool:
        """Whether this process may write: it renewed the lease not long ago."""
        return self._clock() - self._renewed < GIVE_UP_S

    def claim(self, *, force: bool = False, duration_s: float = DURATION_S) -> bool:
        """Take or renew the lease; whether it is this process's now. ApiFault where the API server cannot be asked.

        force: take it from its holder. duration_s: how long others are to wait once it is renewed no more.
        """
        asked = self._clock()
        try:
            held = self._read()
            if held is None:
                self._api.send("POST", self._base, self._body({}, self._identity, duration_s))
            elif force or self._is_free(held):
                self._api.send("PUT", self._path, self._body(held, self._identity, duration_s))
            else:
                self._renewed = float("-inf")
                return False
        except ApiFault as fault:
            if fault.status != _CONFLICT:
                raise
            return False
        self._renewed = asked
        return True

    def release(self) -> None:
        """Give it up, so that another need not wait; nothing where it is not this process's."""
        held = self._read()
        self._renewed = float("-inf")
        if held is not None and held.get("spec", {}).get("holderIdentity") == self._identity:
            self._api.send("PUT", self._path, self._body(held, "", 1))

    def _read(self) -> dict[str, Any] | None:
        try:
            return dict(msgspec.json.decode(self._api.get(self._path), type=dict[str, Any]))
        except ApiFault as fault:
            if fault.status == _NOT_FOUND:
                return None
            raise

    def _is_free(self, held: dict[str, Any]) -> bool:
        spec, version = held.get("spec") or {}, str(held["metadata"].get("resourceVersion"))
        if self._seen[0] != version:
            self._seen = (version, self._clock())
        holder = spec.get("holderIdentity")
        return (
            not holder or holder == self._identity or self._clock() - self._seen[1] >= float(spec.get("leaseDurationSeconds") or DURATION_S)
        )

    def _body(self, held: dict[str, Any], holder: str, duration_s: float) -> bytes:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        metadata = held.get("metadata") or {"name": self._name, "namespace": self._namespace}
        spec = {"holderIdentity": holder, "leaseDurationSeconds": max(1, round(duration_s)), "renewTime": now}
        return msgspec.json.encode({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec})
