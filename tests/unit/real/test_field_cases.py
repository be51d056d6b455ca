"""What people's agents really send: each of the field cases comes to what its `expected.txt` says.

The cases lie outside the repository; where they are not there, nothing is tested. Every record goes through decoding, tenants,
interpretation and the graph in memory, once in its order and once in the other.
"""

import base64
import json
import os
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import pytest

from tests.support.places import SHARED
from tests.support.play import digest_at_once, live, played, standing, written
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reason
from transforms.records.wrappers.avro import AvroReader
from transforms.records.wrappers.unwrap import PayloadReader
from transforms.testing.memory_graph import MemoryTenant

FOLDER: Final = Path(os.environ.get("FIELD_CASES", SHARED / "data" / "field-cases"))
# Of records that give none: half past eight on the day of the cases.
TIMESTAMP_MS: Final = 1_772_354_400_000
WRITTEN: Final = "written"
FILTERED: Final = "filtered"
CONTROL: Final = "control"


class Case(NamedTuple):
    """What a case must come to.

    outcomes: of each record, in order: a word above, or what the detail of its reject matches, without regard to case.
    nodes: by rid, properties of live ones; None: absent. gone: rids without a live node. number: how many live ones there are.
    edges: (type, source, target) that stand. episodes: properties of each, in the order of their times; None: not looked at.
    """

    outcomes: tuple[str, ...]
    nodes: Mapping[str, dict[str, Any]] = MappingProxyType({})
    gone: tuple[str, ...] = ()
    number: int | None = None
    edges: tuple[tuple[str, str, str], ...] = ()
    episodes: tuple[dict[str, Any], ...] | None = None
    rules: frozenset[str] = frozenset()
    tenants: frozenset[str] = frozenset({"af-10"})


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{text}+00:00")


A, B = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
ISTIO, GATEWAY_API = "gateway.networking.istio.io", "gateway.gateway.networking.k8s.io"
AUTOSCALER: Final = "clusterautoscaler.autoscaling.openshift.io::default"
ERROR: Final = {"severity": "ERROR", "subject": "pod:shop:auth-1"}
CART: Final = {"severity": "ERROR", "subject": "pod:shop:cart-1", "container": "app"}
LOGGERS: Final = ("monolog", "serilog-clef", "gelf", "otel", "hclog", "ecs", "pino", "slog", "structlog")
ROUTED: Final = ("ROUTES", "endpointslice:shop:cart-x", "pod:shop:cart-1")
CONTROLLED: Final = ("CONTROLS", "service:shop:cart", "endpointslice:shop:cart-x")

CASES: Final[dict[str, Case]] = {
    "01-statefulset-late-delete": Case(
        (WRITTEN,) * 3, {"pod:shop:web-0": {"uid": B, "node": "node-2"}}, edges=(("RUNS_ON", "pod:shop:web-0", "node::node-2"),)
    ),
    "03-gateway-two-groups": Case(
        (WRITTEN,) * 2,
        {f"{ISTIO}:mesh:public": {"labels": ["of=istio"]}, f"{GATEWAY_API}:mesh:public": {"labels": ["of=gateway-api"]}},
        number=2,
    ),
    "05-gateway-snapshot-other-group": Case(
        (WRITTEN, CONTROL, WRITTEN, CONTROL), {f"{ISTIO}:mesh:ingress": {"uid": A}, f"{GATEWAY_API}:mesh:public": {"uid": B}}
    ),
    "06-replicas-object": Case((WRITTEN,), {"httpscaledobject.http.keda.sh:shop:cart": {"uid": A, "replicas": None}}),
    "07-status-64k": Case(
        (WRITTEN,), {"application.argoproj.io:argocd:big": {"uid": A, "status": None, "left_out": ["status"], "kind": "Application"}}
    ),
    "08-no-typemeta": Case(("lacks `kind`|without a? ?`kind`", "`kind`", "lacks `kind`|without a? ?`kind`")),
    "10-eventrouter": Case(
        (WRITTEN,), episodes=({"reason": "BackOff", "count": 7, "event_time": at("08:10:00"), "subject": "pod:shop:web-1"},)
    ),
    "11-zero-time": Case((WRITTEN, WRITTEN), episodes=({"event_time": at("08:05:00.123456")}, {"event_time": at("08:09:00")})),
    "12-merged-client-id": Case((WRITTEN, FILTERED, WRITTEN, FILTERED), episodes=(ERROR, ERROR)),
    "13-merged-message-object": Case((WRITTEN, FILTERED, FILTERED, WRITTEN), episodes=(ERROR, ERROR)),
    "15-ansi-level": Case((WRITTEN,) * 6, episodes=(ERROR,) * 6),
    "16-level-fields": Case(
        (*(WRITTEN,) * len(LOGGERS),), episodes=tuple({"severity": "ERROR", "subject": f"pod:shop:{name}"} for name in sorted(LOGGERS))
    ),
    "17-no-timestamp": Case((WRITTEN, WRITTEN), nodes={"pod:shop:web-1": {"uid": A}}, episodes=({"event_time": at("08:10:00")},)),
    "18-tenant-names": Case(("black_usw2_uat.*valid", "Prod-EU.*valid", "arn:aws.*valid"), tenants=frozenset()),
    "20-json-null": Case((WRITTEN, WRITTEN), gone=("pod:shop:web-1",)),
    "21-connect-schema-payload": Case((WRITTEN, "JSON.*text"), {"pod:shop:web-1": {}}),
    "22-apicurio": Case(("apicurio|8.byte|eight", "apicurio", "glue"), tenants=frozenset()),
    "24-event-namespace-of-cluster-scoped": Case(
        (WRITTEN,) * 3,
        {AUTOSCALER: {"uid": A}},
        number=1,
        edges=(("ABOUT", B, AUTOSCALER), ("ABOUT", "cccccccc-0000-4000-8000-000000000003", AUTOSCALER)),
        episodes=({"subject": AUTOSCALER}, {"subject": AUTOSCALER}),
    ),
    "25-objects-beside-spec": Case(
        (WRITTEN,) * 5,
        {
            "endpointslice:shop:cart-x": {"ready_addresses": 1},
            "configmap:shop:settings": {"keys": ["a", "b"]},
            "storageclass::fast": {"provisioner": "ebs.csi.aws.com", "reclaim_policy": "Delete"},
            "service:shop:cart": {"selector": ["app=cart"], "service_ips": ["10.0.0.9"]},
        },
        edges=(ROUTED, CONTROLLED, ("SELECTS", "service:shop:cart", "pod:shop:cart-1")),
    ),
    "26-otlp-logs": Case((WRITTEN,), episodes=(CART,)),
    "27-filebeat": Case((WRITTEN,), episodes=(CART,)),
    "28-encodings": Case(
        ("BOM", "gzip", "NaN", "number|1e999|finite", WRITTEN, "UTF-16", WRITTEN, "array|list", "List"),
        nodes={"pod:shop:web-5": {}, "pod:shop:web-7": {"replicas": 3}},
        number=2,
    ),
    "29-grafana-thanos-rules": Case(
        (WRITTEN, "unchanged", WRITTEN), rules=frozenset({"Down", "CartDown"}), episodes=({"reason": "CartDown"}, {"reason": "Down"})
    ),
    "30-event-watch-deleted": Case(
        (WRITTEN, "written|unchanged|superseded|filtered", "bookmark", "error"), episodes=({"count": 7, "event_time": at("08:10:00")},)
    ),
    "32-fluentbit-kubernetes-events": Case(
        (WRITTEN, WRITTEN), edges=(("ABOUT", B, "node::172.26.64.24"),), episodes=({}, {"subject": "pod:shop:web-1"})
    ),
    "34-avro-times": Case(
        ("written|timestamp-nanos", "local|zone", WRITTEN, WRITTEN),
        nodes={"pod:shop:millis": {}, "pod:shop:text": {}},
        gone=("pod:shop:local",),
    ),
    "35-registry-poison-id": Case(("schema", WRITTEN), tenants=frozenset({"af-11"})),
    "36-registry-id-zero": Case(("schema", WRITTEN), tenants=frozenset({"af-11"})),
    "39-knative-structured-and-reference": Case((WRITTEN, WRITTEN, "reference"), gone=("pod:shop:web-1", "pod:shop:web-2"), number=0),
    "40-cluster-scoped-crd-key-many-tenants": Case(
        (WRITTEN, WRITTEN, "tenant"), {"clusterissuer.cert-manager.io::letsencrypt": {}, "node::n1": {}}, number=2
    ),
}


@cache
def _avro(schema_id: int) -> AvroReader:
    moments: tuple[Any, ...] = (
        {"type": "long", "logicalType": "timestamp-nanos"},
        {"type": "long", "logicalType": "local-timestamp-micros"},
        {"type": "long", "logicalType": "timestamp-millis"},
        "string",
    )
    types = {"op": "string", "at": moments[schema_id - 1]} | dict.fromkeys(("kind", "namespace", "name"), "string")
    return AvroReader([json.dumps({"type": "record", "name": "Pod", "fields": [{"name": n, "type": t} for n, t in types.items()]})])


def schemas(schema_id: int, _asker: str) -> PayloadReader:
    if not 1 <= schema_id <= 4:
        raise Fault(Reason.SCHEMA_UNKNOWN, f"the schema registry does not know the schema {schema_id}", parsed=False)
    return _avro(schema_id)


def bytes_of(value: Any) -> bytes | None:
    if value is None or isinstance(value, str):
        return None if value is None else value.encode()
    if isinstance(value, dict) and value.keys() == {"b64"}:
        return base64.b64decode(value["b64"])
    return json.dumps(value).encode()


def records_of(name: str) -> list[KafkaRecord]:
    found = []
    with (FOLDER / name / "records.jsonl").open() as lines:
        for offset, line in enumerate(lines):
            one = json.loads(line)
            headers = tuple((key, value.encode()) for key, value in one.get("headers", {}).items())
            found.append(
                KafkaRecord(
                    one["topic"],
                    0,
                    offset,
                    one.get("timestamp", TIMESTAMP_MS),
                    bytes_of(one.get("key")),
                    bytes_of(one.get("value")),
                    headers,
                )
            )
    return found


pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the field cases are not at {FOLDER}; set FIELD_CASES to their folder")


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_case_comes_to_what_it_must(name: str) -> None:
    case = CASES[name]
    play = played(records_of(name), schemas)
    store, outcomes = written(play)
    for expected, outcome in zip(case.outcomes, outcomes, strict=True):
        assert re.search(expected, outcome, re.IGNORECASE), (expected, outcome)
    assert {client_id for client_id in store.tenants if live(store.tenants[client_id]) or store.tenants[client_id].referrers_held} <= (
        case.tenants
    )
    for graph in [store.tenants[client_id] for client_id in case.tenants if client_id in store.tenants]:
        _check(case, graph)
    in_order = {client_id: store.digest(client_id).hexdigest() for client_id in store.tenants}
    for turn in (list, lambda play: play[::-1]):
        assert digest_at_once(play, turn) == in_order


def _check(case: Case, graph: MemoryTenant) -> None:
    nodes = live(graph)
    for rid, wanted in case.nodes.items():
        assert rid in nodes, (rid, sorted(nodes))
        assert {name: nodes[rid].get(name) for name in wanted} == wanted
    assert not nodes.keys() & set(case.gone)
    assert case.number is None or len(nodes) == case.number
    assert set(case.edges) <= standing(graph), standing(graph)
    episodes = [node for at, node in graph.referrers_held.items() if at.label == "Episodic"]
    if case.episodes is not None:
        found = sorted(episodes, key=lambda node: (node["event_time"], node.get("subject", ""), node["reason"] or ""))
        assert len(found) == len(case.episodes)
        for wanted, one in zip(case.episodes, found, strict=True):
            assert {name: one.get(name) for name in wanted} == wanted
    assert {node["name"] for at, node in graph.referrers_held.items() if at.label == "Rule"} >= case.rules


def test_every_case_that_lies_there_has_an_expectation() -> None:
    assert {folder.name for folder in FOLDER.iterdir() if folder.is_dir()} <= CASES.keys()
