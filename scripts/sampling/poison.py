"""Poisons: records that must end in the dead letters, each with the reason that they must end there with."""

from typing import Final, NamedTuple

from scripts.sampling.record import COMMANDS, EVENTS, LOGS, RESOURCES, RULES, TARGETS, TOPOLOGY, SampleRecord, json_bytes


class Poison(NamedTuple):
    """A class of bad records: its name, the record less its time, and the reason of its reject."""

    name: str
    topic: str
    key: bytes | None
    value: bytes | None
    reason: str


def _pod(**changes: object) -> bytes:
    body = {"op": "UPSERT", "at": "2026-03-01T08:00:00Z", "kind": "Pod", "namespace": "shop", "name": "p"}
    return json_bytes({name: value for name, value in (body | changes).items() if value is not None})


def _edge(**changes: object) -> bytes:
    body = {"op": "UPSERT", "at": "2026-03-01T08:00:00Z", "id": "e", "from": "pod:shop:p", "to": "node::n", "type": "RUNS_ON"}
    return json_bytes({name: value for name, value in (body | changes).items() if value is not None})


def _event(**changes: object) -> bytes:
    subject = {"kind": "Pod", "uid": "", "ns": "shop", "name": "p"}
    body = {"event_id": "x", "event_time": "2026-03-01T08:00:00Z", "severity": "Normal", "subject": subject}
    return json_bytes({name: value for name, value in (body | changes).items() if value is not None})


def _restarts(*counts: int) -> dict[str, object]:
    return {"containerStatuses": [{"restartCount": count} for count in counts]}


def _otlp(count: object) -> bytes:
    attributes = [{"key": "k8s.event.uid", "value": {"stringValue": "e"}}, {"key": "k8s.event.count", "value": count}]
    record = {"timeUnixNano": "1772352000000000000", "attributes": attributes}
    return json_bytes({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


def _target(**changes: object) -> bytes:
    body = {"op": "UPSERT", "at": "2026-03-01T08:00:00Z", "labels": {"job": "j", "instance": "i"}, "health": "up"}
    return json_bytes({name: value for name, value in (body | changes).items() if value is not None})


def _rule(**changes: object) -> bytes:
    body = {"op": "UPSERT", "at": "2026-03-01T08:00:00Z", "group": "g", "rule": "r", "type": "alerting", "expr": "up == 0"}
    return json_bytes({name: value for name, value in (body | changes).items() if value is not None})


def _log(**changes: object) -> bytes:
    body = {"event_id": "x", "event_time": "2026-03-01T08:00:00Z", "etype": "k8s.log", "severity": "ERROR", "message": "broken"}
    body |= {"pod_uid": "some-uid", "pod_namespace": "shop", "pod_name": "p"}
    return json_bytes({name: value for name, value in (body | changes).items() if value is not None})


def _cloud_event(**data: object) -> bytes:
    return json_bytes({"specversion": "1.0", "id": "7", "source": "/agents", "type": "k8s", **data})


def poisons(client_id: str) -> list[Poison]:
    """One of each class, keyed for the tenant where the class is not about the key."""
    pod, edge, event, target, rule = (f"{client_id}::{raw}".encode() for raw in ("pod:shop:p", "edge:e", "some-uid", "j|i", "g|r"))
    return [
        Poison("not JSON", RESOURCES, pod, b"{not json", "not_json"),
        Poison("not UTF-8", RESOURCES, pod, _pod(image="x").replace(b'"x"', b'"\xff"'), "not_json"),
        Poison("lone surrogate", EVENTS, event, _event(message="x").replace(b'"x"', b'"\\ud800"'), "not_json"),
        Poison("an array", RESOURCES, pod, b"[1, 2]", "wrong_type"),
        Poison("labels as text", RESOURCES, pod, _pod(labels="app=x"), "wrong_type"),
        Poison("name as number", RESOURCES, pod, _pod(name=7), "wrong_type"),
        Poison("unknown op", RESOURCES, pod, _pod(op="PATCH"), "wrong_type"),
        Poison("no zone in time", RESOURCES, pod, _pod(at="2026-03-01T08:00:00"), "wrong_type"),
        Poison("no name", RESOURCES, pod, _pod(name=None), "missing_field"),
        Poison("no event id", EVENTS, event, _event(event_id=None), "missing_field"),
        Poison("no edge id", TOPOLOGY, edge, _edge(id=None), "missing_field"),
        Poison("back-tick in kind", RESOURCES, pod, _pod(kind="Pod` DETACH DELETE n //"), "wrong_type"),
        Poison("escaped back-tick in kind", RESOURCES, pod, _pod(kind="X").replace(b'"X"', b'"Pod\\u0060"'), "wrong_type"),
        Poison("edge type from input", TOPOLOGY, edge, _edge(type="RUNS_ON`]->()//"), "bad_value"),
        Poison("edge end names nothing", TOPOLOGY, edge, _edge(to="node"), "bad_value"),
        Poison("time before 2000", RESOURCES, pod, _pod(at="1999-12-31T23:59:59Z"), "bad_time"),
        Poison("time days ahead", RESOURCES, pod, _pod(at="2126-03-01T08:00:00Z"), "bad_time"),
        # More than a record may have, and within what topics take that `topics create` made.
        Poison("1.5 MiB value", RESOURCES, pod, _pod(image="x" * 3 * 512 * 1024), "limit_exceeded"),
        Poison("identity of 2 KiB", EVENTS, event, _event(event_id="x" * 2048), "limit_exceeded"),
        Poison("nested too deep", RESOURCES, pod, _pod(spec=7).replace(b"7}", b"[" * 40 + b"]" * 40 + b"}"), "limit_exceeded"),
        Poison("integer beyond 64 bits", RESOURCES, pod, _pod(replicas=7).replace(b":7}", b":9223372036854775808}"), "limit_exceeded"),
        Poison("integers beyond 64 bits in their sum", RESOURCES, pod, _pod(status=_restarts(2**63 - 1, 1)), "limit_exceeded"),
        Poison("negative sum beyond 64 bits", RESOURCES, pod, _pod(status=_restarts(-(2**63), -1)), "limit_exceeded"),
        Poison("count beyond 64 bits as text", EVENTS, event, _otlp({"intValue": "9999999999999999999"}), "limit_exceeded"),
        Poison("count of 4,000 digits", EVENTS, event, _otlp({"intValue": "9" * 4000}), "limit_exceeded"),
        Poison("key of 2 KiB", RESOURCES, pod + b"x" * 2048, _pod(), "limit_exceeded"),
        Poison("key not UTF-8", RESOURCES, pod + b"\xff", _pod(), "bad_key"),
        Poison("tombstone of nothing", RESOURCES, f"{client_id}::".encode(), None, "bad_key"),
        Poison("empty event", EVENTS, event, None, "empty_value"),
        Poison("legacy event", EVENTS, event, json_bytes({"InvolvedObject": {"Kind": "Pod", "Name": "p"}}), "legacy_shape"),
        Poison("log that is not JSON", LOGS, event, _log()[:-1], "not_json"),
        Poison("log without text", LOGS, event, _log(message=None), "missing_field"),
        Poison("log of no pod", LOGS, event, _log(pod_name=None), "missing_field"),
        Poison("log text as number", LOGS, event, _log(message=7), "wrong_type"),
        Poison("log days ahead", LOGS, event, _log(event_time="2126-03-01T08:00:00Z"), "bad_time"),
        Poison("empty log", LOGS, event, None, "empty_value"),
        Poison("no tenant", RESOURCES, b"pod:shop:p", _pod(), "tenant_missing"),
        Poison("a kind as tenant", RESOURCES, b"node::n1", _pod(kind="Node", name="n1"), "tenant_missing"),
        Poison("bad tenant", RESOURCES, b"Not_A_Tenant::pod:shop:p", _pod(), "tenant_invalid"),
        Poison("bad tenant in body", RESOURCES, pod, _pod(client_id="NOT VALID"), "tenant_invalid"),
        Poison("tenants disagree", RESOURCES, pod, _pod(client_id="someone-else"), "tenant_mismatch"),
        Poison("target without labels", TARGETS, target, _target(labels=None), "missing_field"),
        Poison("health as number", TARGETS, target, _target(health=1), "wrong_type"),
        Poison("failed response", TARGETS, target, json_bytes({"status": "error", "errorType": "timeout"}), "bad_value"),
        Poison("rule without type", RULES, rule, _rule(type=None), "missing_field"),
        Poison("rule of an unknown type", RULES, rule, _rule(type="alert"), "wrong_type"),
        Poison("rules of another endpoint", RULES, rule, json_bytes({"status": "success", "data": {"activeTargets": []}}), "missing_field"),
        Poison("unknown schema", RESOURCES, pod, b"\0\0\0\0\x07payload", "schema_unknown"),
        Poison("schema id that no registry has", RESOURCES, pod, b"\0\xff\xff\xff\xffpayload", "schema_unknown"),
        Poison("schema id cut off", EVENTS, event, b"\0\0\0", "bad_wrapper"),
        Poison("cloud event of broken base64", TOPOLOGY, edge, _cloud_event(data_base64="e30"), "bad_wrapper"),
        Poison("cloud event of text", RESOURCES, pod, _cloud_event(data="op: UPSERT"), "bad_wrapper"),
        Poison("unknown command", COMMANDS, b"x", json_bytes({"command": "DROP_EVERYTHING"}), "unknown_command"),
    ]


MOST_AHEAD: Final = 24 * 3600


def poisoned(poison: Poison, timestamp_ms: int) -> SampleRecord:
    return SampleRecord(poison.topic, poison.key, poison.value, timestamp_ms)
