"""The table of agents and shapes in docs/records.md: every example becomes what it says."""

import re

import pytest

from tests.support.places import CHECKOUT
from tests.support.play import live, played, written
from tests.support.wire import AT_MS, UID
from transforms.records.decode import decode_record
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason

_DOC = (CHECKOUT / "docs" / "records.md").read_text()
_ROW = re.compile(r"^\| (?P<by>[^|]+) \| `(?P<topic>[a-z0-9.]+)` \| `(?P<value>[^|]+)` \| (?P<becomes>[^|]+) \|$", re.MULTILINE)
_ROWS = [
    (found["by"], found["topic"], found["value"], found["becomes"])
    for found in _ROW.finditer(_DOC.split("## Agents and shapes")[1].split("\n## ")[0])
]
_OF = re.compile(r"(?:the object|an episode about) `(?P<rid>[^`]+)`(?:, (?P<how>with|without) `(?P<name>[^`]+)`)?")
_POD = b'{"op": "UPSERT", "at": "2026-03-01T07:00:00Z", "kind": "Pod", "namespace": "shop", "name": "web-0", "uid": "%s"}' % UID.encode()


def _record(topic: str, value: bytes, offset: int = 1) -> KafkaRecord:
    return KafkaRecord(topic, 0, offset, AT_MS, b"af-10::pod:shop:web-0", value)


def test_the_table_has_rows() -> None:
    assert len(_ROWS) >= 14


@pytest.mark.parametrize(("by", "topic", "value", "becomes"), _ROWS)
def test_an_example_becomes_what_the_table_says(by: str, topic: str, value: str, becomes: str) -> None:
    record = _record(topic, value.encode())
    if becomes.startswith("a reject"):
        fault = decode_record(record).fault
        assert fault is not None
        assert Reason(becomes.partition("`")[2].rstrip("`")) is fault.reason
        return
    store, outcomes = written(played([_record("state.k8s.resource", _POD, 0), record]))
    assert outcomes == ["written", "written"], by
    graph = store.tenants["af-10"]
    if becomes.startswith("the end"):
        assert not live(graph)
        return
    found = _OF.fullmatch(becomes)
    assert found, becomes
    if becomes.startswith("an episode"):
        (episode,) = graph.referrers_held.values()
        assert episode["subject"] == found["rid"]
        return
    node = live(graph)[found["rid"]]
    assert not found["name"] or (found["name"] in node) == (found["how"] == "with")
