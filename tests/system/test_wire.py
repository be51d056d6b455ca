"""Wrapped records end to end, with a real schema registry: the graphs of the same contents as plain JSON."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runners.local.stack import free_stack_ports
from scripts.sampling.record import EVENTS, RESOURCES, TARGETS, SampleRecord, json_bytes
from tests.support.avro_samples import EVENT_SCHEMA, OWNER, POD_SCHEMA, avro, framed
from tests.system.conftest import JARS
from tests.system.registry import Registry
from tests.system.world import World
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.registry_target import RegistryTarget
from transforms.io.kafka.schema_registry import SchemaRegistry
from transforms.records.rejects import Fault, Reason

BEGIN_MS = 1_772_352_000_000
MOMENT = datetime(2026, 3, 1, 8, tzinfo=UTC)
AT = "2026-03-01T08:00:00Z"
POD: dict[str, Any] = {"op": "UPSERT", "at": AT, "kind": "Pod", "namespace": "shop", "name": "cart-1", "labels": {"app": "cart"}}
POD |= {"ownerRefs": [{"kind": "ReplicaSet", "name": "cart"}], "image": "cart:1"}
NODE: dict[str, Any] = {"op": "UPSERT", "at": AT, "kind": "Node", "name": "n1"}
EVENT: dict[str, Any] = {"event_id": "/agents/shop#7", "event_time": AT, "etype": "k8s.event", "severity": "Warning", "reason": "BackOff"}
EVENT |= {"subject": {"kind": "Pod", "name": "cart-1", "ns": "shop"}}
TARGET = {"op": "UPSERT", "at": AT, "labels": {"job": "cart", "instance": "i", "namespace": "shop", "pod": "cart-1"}, "health": "up"}
JSON_SCHEMA = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}
CLOUD = {"specversion": "1.0", "id": "7", "source": "/agents/shop", "type": "k8s", "time": AT}
BINARY: tuple[tuple[str, bytes | None], ...] = tuple((f"ce_{name}", value.encode()) for name, value in CLOUD.items())
STRUCTURED: tuple[tuple[str, bytes | None], ...] = (("content-type", b"application/cloudevents+json"),)
TENANTS = ("af-10", "af-11")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    registry = Registry(tmp_path_factory.mktemp("registry"), JARS, free_stack_ports().kafka)
    registry.up()
    try:
        yield registry
    finally:
        registry.process.stop()


def said(topic: str, raw: str, value: bytes, client_id: str, headers: tuple[tuple[str, bytes | None], ...] = ()) -> SampleRecord:
    return SampleRecord(topic, f"{client_id}::{raw}".encode(), value, BEGIN_MS, headers)


def plain(client_id: str) -> list[SampleRecord]:
    values = [(RESOURCES, "pod:shop:cart-1", POD), (RESOURCES, "node::n1", NODE), (EVENTS, "any", EVENT), (TARGETS, "cart|i", TARGET)]
    return [said(topic, raw, json_bytes(body), client_id) for topic, raw, body in values]


def wrapped(client_id: str, pod_schema: int, json_schema: int, event_schema: int) -> list[SampleRecord]:
    """The same contents: Avro, JSON schema, and both kinds of CloudEvents, which one for what differing by tenant."""
    pod = said(RESOURCES, "pod:shop:cart-1", framed(pod_schema, avro(POD_SCHEMA, POD | {"at": MOMENT})), client_id)
    nameless = {name: value for name, value in EVENT.items() if name not in ("event_id", "event_time")}
    if client_id == TENANTS[0]:
        node = said(RESOURCES, "node::n1", framed(json_schema, json_bytes(NODE)), client_id)
        event = said(EVENTS, "any", json_bytes(nameless), client_id, BINARY)
        target = said(TARGETS, "cart|i", json_bytes(CLOUD | {"data": TARGET}), client_id, STRUCTURED)
    else:
        node = said(RESOURCES, "node::n1", json_bytes(CLOUD | {"data": NODE}), client_id)
        event = said(EVENTS, "any", framed(event_schema, avro(EVENT_SCHEMA, _avro_event(nameless))), client_id, BINARY)
        target = said(TARGETS, "cart|i", json_bytes(TARGET), client_id, BINARY)
    return [pod, node, event, target]


def _avro_event(body: dict[str, Any]) -> dict[str, Any]:
    return body | {"message": ""}


def _register(registry: Registry) -> tuple[int, int, int]:
    """The Pod's schema refers to its owner's, which is a subject of its own."""
    fields = [field for field in POD_SCHEMA["fields"] if field["name"] != "ownerRefs"]
    at = [field["name"] for field in POD_SCHEMA["fields"]].index("ownerRefs")
    fields.insert(at, {"name": "ownerRefs", "type": ["null", {"type": "array", "items": "shop.state.Owner"}]})
    registry.register("owner", OWNER | {"namespace": "shop.state"})
    pod = registry.register(f"{RESOURCES}-value", POD_SCHEMA | {"fields": fields}, "AVRO", ("shop.state.Owner", "owner"))
    return pod, registry.register("any-json", JSON_SCHEMA, "JSON"), registry.register(f"{EVENTS}-value", EVENT_SCHEMA)


def test_wrapped_records_come_to_the_graphs_of_plain_ones(world: World, served: Registry) -> None:
    world.produce([record for tenant in TENANTS for record in plain(tenant)])
    assert world.run_job("--kafka_reader=bounded")["written"] == 8
    expected = world.digests()
    assert set(expected) == set(TENANTS)

    world.clear()
    ids = _register(served)
    world.produce([record for tenant in TENANTS for record in wrapped(tenant, *ids)])
    report = world.run_job("--kafka_reader=bounded", SCHEMA_REGISTRY_URL=served.url)
    assert (report["read"], report["written"], report["rejected"]) == (8, 8, 0)
    assert "HTTP" not in report["stderr"]
    assert world.digests() == expected


def test_beams_own_reader_brings_headers_and_framed_bytes_too(world: World, served: Registry) -> None:
    world.produce(plain("af-10"))
    world.run_job("--kafka_reader=bounded")
    expected = world.digests()

    world.clear()
    world.produce(wrapped("af-10", *_register(served)))
    assert world.run_job("--kafka_reader=beam", f"--schema_registry_url={served.url}")["written"] == 4
    assert world.digests() == expected


def test_what_no_schema_is_known_for_is_rejected_and_replayed_once_it_is(world: World, served: Registry) -> None:
    ids = _register(served)
    world.produce([*wrapped("af-10", *ids), said(RESOURCES, "x", framed(999_999, b"x"), "af-10")])
    assert world.run_job("--kafka_reader=bounded")["rejected"] == 3
    letters = world.deadletters()
    assert [letter["reason"] for letter in letters] == ["schema_unknown"] * 3
    assert all(letter["withheld"] and "--schema_registry_url" in letter["detail"] for letter in letters)

    done = world.run("pipelines.deadletters", "replay", "--json", SCHEMA_REGISTRY_URL=served.url)
    replayed = json.loads(done.stdout)
    assert (replayed["written"], replayed["rejected"]) == (2, 1)


def test_a_registry_that_is_away_stops_the_run_with_one_sentence_and_nothing_is_committed(world: World, served: Registry) -> None:
    world.produce(wrapped("af-10", *_register(served)))
    served.process.stop()
    try:
        flags = ("--kafka_reader=bounded", f"--schema_registry_url={served.url}", "--schema_registry_retry_s=1")
        stopped = world.run_job(*flags, expect=1)
        (sentence,) = [line for line in stopped["stderr"].splitlines() if not line.startswith(("{", "20"))]
        assert sentence.startswith(f"The schema registry at {served.url} cannot be used (")
        assert (world.committed(), world.digests(), world.deadletters()) == ({}, {}, [])
    finally:
        served.up()
    _register(served)
    assert world.run_job(*flags)["written"] == 4


def test_the_doctor_tells_whether_the_registry_answers(world: World, served: Registry) -> None:
    def told(url: str, expect: int) -> list[dict[str, str]]:
        done = world.run("pipelines.doctor", "--json", "--follow", f"--schema_registry_url={url}", expect=expect)
        return [check for check in json.loads(done.stdout)["checks"] if check["name"] == "schema registry"]

    assert told("", 0) == []
    assert [check["status"] for check in told(served.url, 0)] == ["ok"]
    (failed,) = told(f"{served.url}/nowhere", 1)
    assert failed["status"] == "failed"
    assert "404" in failed["said"]


def test_what_the_registry_holds_decides_and_is_asked_for_once(served: Registry, tmp_path: Path) -> None:
    now = [0.0]
    pod, json_schema, _ = _register(served)
    with_references = SchemaRegistry(RegistryTarget(served.url, retry_s=0), lambda: now[0])
    assert with_references.reader(json_schema) is bytes
    assert with_references.reader(pod) is with_references.reader(pod)
    recursive = {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}
    for schema_id, reason in ((served.register("l", recursive), Reason.BAD_WRAPPER), (999_999, Reason.SCHEMA_UNKNOWN)):
        for _ in range(2):
            with pytest.raises(Fault) as raised:
                with_references.reader(schema_id)
            assert raised.value.reason is reason
    served.process.stop()
    try:
        # All of it is known still; what was unknown is asked for anew after a while.
        assert with_references.reader(json_schema) is bytes
        now[0] = 29.0
        with pytest.raises(Fault):
            with_references.reader(999_999)
        now[0] = 31.0
        with pytest.raises(InfrastructureFault, match="cannot be used"):
            with_references.reader(999_999)
    finally:
        with_references.close()
        served.up()
