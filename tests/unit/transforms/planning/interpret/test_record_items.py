"""What one record lists is limited, and what it lists twice over costs no more than it says."""

import time
import tracemalloc
from typing import Any

import pytest

from tests.support.real_data import FOLDER, response
from tests.support.wire import EVENTS, POD, RESOURCES, RULES, TARGETS, TENANT, json_of, kafka_record
from transforms.model.limits import ITEMS, RECORD_BYTES
from transforms.planning.facts.mutations import Mutation
from transforms.planning.interpret.dispatch import InterpretationCache, interpret
from transforms.records.decode import WRAPPINGS, decode_record
from transforms.records.decoded_bodies import CONTENT_BYTES, Contents, weight_of
from transforms.records.rejects import Fault, Reason

_EVENT = {"attributes": [{"key": "k8s.event.uid", "value": {"stringValue": "u"}}]}


def _mutations(topic: str, body: dict[str, Any]) -> tuple[Mutation, ...]:
    decoded = decode_record(kafka_record(topic, json_of(body)))
    if decoded.fault is not None:
        raise decoded.fault
    assert decoded.body is not None
    return interpret(topic, decoded.body, TENANT, decoded.ver)


def _targets(number: int) -> dict[str, Any]:
    return {"status": "success", "data": {"activeTargets": [{"labels": {"job": str(at)}} for at in range(number)]}}


def _rules(number: int) -> dict[str, Any]:
    """Half of them rules, the other half alerts of the first."""
    alerts = [{"state": "firing", "labels": {"n": str(at)}} for at in range(number // 2)]
    rules = [{"name": str(at), "type": "alerting", "alerts": [] if at else alerts} for at in range(number - len(alerts))]
    return {"status": "success", "data": {"groups": [{"name": "a", "rules": rules[:1]}, {"name": "b", "rules": rules[1:]}]}}


def _log_records(number: int) -> dict[str, Any]:
    events = [{"attributes": [{"key": "k8s.event.uid", "value": {"stringValue": str(at)}}]} for at in range(number)]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": events[:7]}]}, {"scopeLogs": [{"logRecords": events[7:]}]}]}


@pytest.mark.parametrize(("topic", "made"), [(TARGETS, _targets), (RULES, _rules), (EVENTS, _log_records)])
def test_a_record_lists_so_many_items_and_no_more(topic: str, made: Any) -> None:
    assert len(_mutations(topic, made(ITEMS))) == ITEMS
    with pytest.raises(Fault, match=f"lists {ITEMS + 1} .*at most {ITEMS} are taken; split it") as raised:
        _mutations(topic, made(ITEMS + 1))
    assert (raised.value.reason, raised.value.parsed) == (Reason.LIMIT_EXCEEDED, True)


def _object(number: int, name: str) -> dict[str, Any]:
    texts = [str(at) for at in range(number)]
    pairs = dict.fromkeys(texts, "")
    return {
        "labels": POD | {"labels": pairs},
        "selector": POD | {"kind": "Service", "serviceSelector": pairs},
        "owners": POD | {"ownerRefs": [{"kind": "Job", "name": one} for one in texts]},
        "service_ips": POD | {"kind": "Service", "serviceIPs": texts},
        "implies": POD
        | {"kind": "Endpoints", "spec": {"subsets": [{"addresses": [{"targetRef": {"kind": "Pod", "name": one}} for one in texts[1:]]}]}},
        "data_keys": POD | {"kind": "ConfigMap", "spec": {"data": pairs}},
    }[name]


@pytest.mark.parametrize("name", ["labels", "selector", "owners", "service_ips", "implies", "data_keys"])
def test_a_list_of_an_object_has_so_many_entries_and_no_more(name: str) -> None:
    (made,) = _mutations(RESOURCES, _object(ITEMS, name))
    assert any(isinstance(one, list) and len(one) == ITEMS for one in made.props.values())  # type: ignore[union-attr]
    with pytest.raises(Fault, match=f"`[a-z_]+` has {ITEMS + 1} entries, at most {ITEMS} are taken") as raised:
        _mutations(RESOURCES, _object(ITEMS + 1, name))
    assert raised.value.reason is Reason.LIMIT_EXCEEDED


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real dumps are not in {FOLDER}")
@pytest.mark.parametrize("path", ["mongodb-operator-targets.json", "demo-site-targets.json"])
def test_the_limit_is_beyond_a_whole_record_of_the_shortest_real_targets(path: str) -> None:
    targets = response(f"prometheus-targets/{path}")["data"]["activeTargets"]
    shortest = min(len(json_of(one, "discoveredLabels")) for one in targets)
    assert RECORD_BYTES // shortest < ITEMS


def test_attributes_of_a_resource_are_not_copied_for_each_of_its_log_records() -> None:
    shared = [{"key": f"a{at}", "value": {"intValue": "1"}} for at in range(10_000)]
    body = {"resourceLogs": [{"resource": {"attributes": shared}, "scopeLogs": [{"logRecords": [_EVENT] * ITEMS}]}]}
    began = time.process_time()
    _mutations(EVENTS, body)
    assert time.process_time() - began < 2


def test_a_value_is_wrapped_a_few_times_and_no_more() -> None:
    body: dict[str, Any] = POD
    for _ in range(WRAPPINGS):
        body = {"specversion": "1.0", "id": "7", "source": "s", "data": body}
    assert _mutations(RESOURCES, body)
    with pytest.raises(Fault, match=f"bad_wrapper.*more than {WRAPPINGS} times"):
        _mutations(RESOURCES, {"specversion": "1.0", "id": "7", "source": "s", "data": body})


@pytest.mark.parametrize("filling", ["{}", "[]", '{"a":0}', '"a"', "1.5", '"é"'])
def test_what_is_kept_of_bodies_is_bounded_whatever_they_are_made_of(filling: str) -> None:
    kept = 512 * 1024
    contents, meanings = Contents(kept), InterpretationCache(kept)
    status = ",".join([filling] * (4_000 // (len(filling.encode()) + 1)))
    interpret(RESOURCES, decode_record(kafka_record(RESOURCES, json_of(POD))).body, TENANT, "v")  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        for at in range(3 * kept // weight_of(status.encode())):
            value = json_of(POD, name=f"p{at}", status={"x": None}).replace(b"null", f"[{status}]".encode())
            decoded = decode_record(kafka_record(RESOURCES, value), contents=contents)
            assert decoded.body is not None
            interpret(RESOURCES, decoded.body, TENANT, decoded.ver, meanings, text=value)
        assert tracemalloc.get_traced_memory()[0] < 14 * kept
    finally:
        tracemalloc.stop()


def test_bodies_that_are_too_large_to_be_found_again_are_not_kept() -> None:
    meanings = InterpretationCache()
    value = json_of(POD, annotations={"x": "y" * CONTENT_BYTES})
    decoded = decode_record(kafka_record(RESOURCES, value))
    assert decoded.body is not None
    found = [interpret(RESOURCES, decoded.body, TENANT, decoded.ver, meanings, text=one) for one in (value, json_of(POD))]
    assert found[0] == found[1]
    assert len(meanings._memo._young) == 1
