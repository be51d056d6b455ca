"""Records of custom resources, and the graph that the version before API groups made of them.

`before_groups.json` is that graph, as the commit 9e7c2c9 wrote it: checked out, its job run on these records in an empty Kafka and an
empty graph, then exported (`python -m tests.support.before_groups` against that graph).
"""

import base64
import json
import sys
from datetime import UTC, datetime
from typing import Any, Final

import neo4j
from neo4j.time import DateTime

from scripts.sampling.record import EVENTS, RESOURCES, TOPOLOGY, SampleRecord, json_bytes
from tests.support.places import CHECKOUT

FILE: Final = CHECKOUT / "tests" / "support" / "before_groups.json"
TENANTS: Final = ("af-10", "af-11")
_BEGIN_S: Final = 1_772_352_000
_ISTIO: Final = "networking.istio.io/v1"
_NODES: Final = "MATCH (n) WHERE NOT n:Lease AND NOT n:Bus RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS props"
_LINKS: Final = "MATCH (a)-[r]->(b) RETURN elementId(a) AS source, elementId(b) AS target, type(r) AS type, properties(r) AS props"


def records(*, resynced: bool = False) -> list[SampleRecord]:
    """The records of both tenants; resynced: all objects once more, later and unchanged, as agents report them."""
    found = [record for client_id in TENANTS for record in _of_tenant(client_id, 0)]
    if resynced:
        found += [one for client_id in TENANTS for one in _of_tenant(client_id, 3600) if one.topic == RESOURCES]
    return found


def _of_tenant(client_id: str, after_s: int) -> list[SampleRecord]:
    made: list[SampleRecord] = []

    def add(topic: str, raw_key: str, body: dict[str, Any] | None) -> None:
        second = _BEGIN_S + after_s + len(made)
        stamped = {"at": datetime.fromtimestamp(second, UTC).isoformat(), **body} if body is not None else None
        value = None if stamped is None else json_bytes(stamped)
        made.append(SampleRecord(topic, f"{client_id}::{raw_key}".encode(), value, second * 1000))

    def upsert(api_version: str, kind: str, namespace: str, name: str, **more: Any) -> None:
        body = {
            "op": "UPSERT",
            "apiVersion": api_version,
            "kind": kind,
            "namespace": namespace,
            "name": name,
            "uid": f"{kind}-{name}",
            **more,
        }
        add(RESOURCES, f"{kind.lower()}:{namespace}:{name}", body)

    upsert("v1", "Namespace", "", "mesh")
    upsert("v1", "Service", "mesh", "ingress", serviceSelector={"app": "ingress"})
    upsert("v1", "Pod", "mesh", "ingress-1", labels={"app": "ingress"}, node="n1")
    upsert(_ISTIO, "Gateway", "mesh", "public", labels={"istio": "ingress"}, status={"ready": True})
    upsert(_ISTIO, "VirtualService", "mesh", "cart", ownerRefs=[_owner(_ISTIO, "Gateway", "public")])
    upsert("cert-manager.io/v1", "Certificate", "mesh", "cart", labels={"a": "b"})
    upsert("v1", "Secret", "mesh", "cart-tls", ownerRefs=[_owner("cert-manager.io/v1", "Certificate", "cart")])
    upsert("serving.knative.dev/v1", "Service", "mesh", "ingress", status={"url": "x"})
    upsert("argoproj.io/v1alpha1", "Rollout", "shop", "cart")
    upsert("apps/v1", "ReplicaSet", "shop", "cart-7", ownerRefs=[_owner("argoproj.io/v1alpha1", "Rollout", "cart")])
    for number in range(3):
        upsert("monitoring.coreos.com/v1", "ServiceMonitor", "shop", f"m-{number}", labels={"n": str(number)})
    add(TOPOLOGY, "edge:1", {"op": "UPSERT", "id": "edge:1", "from": "gateway:mesh:public", "to": "pod:mesh:ingress-1", "type": "SELECTS"})
    subject = {"kind": "Gateway", "ns": "mesh", "name": "public", "uid": "Gateway-public"}
    event = {"event_id": "e1", "event_time": datetime.fromtimestamp(_BEGIN_S + after_s + 60, UTC).isoformat(), "etype": "k8s.event"}
    add(EVENTS, "any", event | {"severity": "WARNING", "reason": "Conflict", "message": "two gateways", "subject": subject})
    return made


def _owner(api_version: str, kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "name": name, "uid": f"{kind}-{name}", "controller": True}


def _as_text(value: bytes | DateTime) -> dict[str, str]:
    return {"time": value.iso_format()} if isinstance(value, DateTime) else {"base64": base64.b64encode(value).decode()}


def _as_stored(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return DateTime.from_iso_format(value["time"]) if "time" in value else base64.b64decode(value["base64"])


def _props(held: dict[str, Any]) -> dict[str, Any]:
    return {name: _as_stored(value) for name, value in held.items()}


def export(driver: neo4j.Driver) -> dict[str, Any]:
    """All nodes and relationships, but for what belongs to a run."""
    nodes = [row.data() for row in driver.execute_query(_NODES).records]
    numbers = {node.pop("id"): at for at, node in enumerate(nodes)}
    links = [row.data() for row in driver.execute_query(_LINKS).records]
    return {"nodes": nodes, "links": [one | {end: numbers[one[end]] for end in ("source", "target")} for one in links]}


def restore(driver: neo4j.Driver) -> None:
    """Put the graph of the version before into an empty database."""
    held = json.loads(FILE.read_text())
    with driver.session() as session, session.begin_transaction() as tx:
        ids = []
        for node in held["nodes"]:
            labels = ":".join(f"`{label}`" for label in node["labels"])
            made = tx.run(f"CREATE (n:{labels}) SET n = $props RETURN elementId(n) AS id", props=_props(node["props"])).single(strict=True)
            ids.append(made["id"])
        for one in held["links"]:
            tx.run(
                "MATCH (a), (b) WHERE elementId(a) = $a AND elementId(b) = $b " + f"CREATE (a)-[r:`{one['type']}`]->(b) SET r = $props",
                a=ids[one["source"]],
                b=ids[one["target"]],
                props=_props(one["props"]),
            ).consume()
        tx.commit()


if __name__ == "__main__":
    uri, password = sys.argv[1:]
    with neo4j.GraphDatabase.driver(uri, auth=("neo4j", password)) as opened:
        FILE.write_text(json.dumps(export(opened), indent=1, sort_keys=True, default=_as_text) + "\n")
