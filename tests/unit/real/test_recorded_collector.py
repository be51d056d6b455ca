"""What an OpenTelemetry Collector wrote to Kafka in a real control plane, played through the job."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tests.support.places import CHECKOUT, SHARED
from tests.support.play import live, played, written
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Event, Heartbeat
from transforms.records.record import KafkaRecord
from transforms.records.topic_names import EVENTS, HEARTBEATS, RESOURCES

FOLDER = Path(os.environ.get("GRAPH_RECORDED", SHARED / "data" / "recorded"))
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the recorded topics are not here")
CONFIG = CHECKOUT / "deploy" / "agent" / "otel-collector.yaml"


def recorded(topic: str) -> Iterator[KafkaRecord]:
    with gzip.open(FOLDER / f"{topic}.jsonl.gz") as lines:
        for line in lines:
            one: dict[str, Any] = msgspec.json.decode(line)
            headers = tuple((name, value.encode()) for name, value in one["headers"].items())
            value = one["value"].encode() if one["value"] else None
            key = one["key"].encode() if one["key"] else None
            yield KafkaRecord(topic, one["partition"], one["offset"], one["ts"], key, value, headers)


def test_every_object_and_end_is_taken_and_the_secret_is_not_there() -> None:
    records = list(recorded(RESOURCES))
    store, outcomes = written(played(records))
    taken = {"written", "unchanged", "superseded", "control"}
    assert [one for one in outcomes if one not in taken] == []
    graph = live(store.tenants["af-10"])
    assert {node["kind"] for node in graph.values()} >= {"Pod", "Node", "Deployment", "Secret", "Service"}
    assert "control" in outcomes
    assert not [one for one in records if b"s3cr3t-never-in-kafka" in (one.value or b"")]


def test_every_event_and_heartbeat_is_taken() -> None:
    events = [decode_record(one) for one in recorded(EVENTS)]
    assert [one.fault for one in events if one.fault is not None] == []
    assert any(isinstance(one.body, Event) for one in events)
    assert all(isinstance(decode_record(one).body, Heartbeat) for one in recorded(HEARTBEATS))


def test_the_documented_configuration_keeps_order_over_an_outage() -> None:
    config = yaml.safe_load(CONFIG.read_text())
    named = {part for pipeline in config["service"]["pipelines"].values() for parts in pipeline.values() for part in parts}
    declared = {*config["receivers"], *config["processors"], *config["exporters"]}
    assert named == declared
    for exporter in config["exporters"].values():
        assert exporter["sending_queue"]["num_consumers"] == 1
        assert exporter["sending_queue"]["block_on_overflow"] is True
        assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
        assert exporter["producer"]["required_acks"] == -1
