"""What the agent writes of an object means the same as the object as it is, and holds nothing that the job does not read."""

import gzip
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.sampling.record import json_bytes
from tests.support.places import SHARED
from transforms.model.kinds import KINDS, Scope
from transforms.planning.interpret.resource import resource_meaning, resource_tombstone
from transforms.records.agent.events import event_record
from transforms.records.agent.keys import clean_rid, key_of
from transforms.records.agent.objects import VALUE_BYTES, state_record
from transforms.records.decode import decode_record
from transforms.records.envelopes.events import parse_event
from transforms.records.envelopes.resource import parse_resource
from transforms.records.record import KafkaRecord
from transforms.records.topic_names import EVENTS, RESOURCES
from transforms.records.wrappers.kubernetes import envelope_of

AT_MS = 1_767_225_600_000
RECORDED = SHARED / "data" / "recorded" / "watch"
SECRET = "hunter2-never-on-a-topic"


def api_object(kind: str, name: str = "x", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "7", "labels": {"app": "x"}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **more}


def recorded(*kinds: str) -> Iterator[dict[str, Any]]:
    for path in sorted(RECORDED.glob("*.jsonl.gz")):
        if not kinds or path.name.partition(".")[0] in kinds:
            with gzip.open(path) as lines:
                yield from (one["object"] for line in lines if (one := msgspec.json.decode(line))["type"] != "BOOKMARK")


def meaning(value: bytes) -> object:
    envelope = envelope_of(value, AT_MS)
    assert envelope is not None
    body = parse_resource(envelope)
    return resource_meaning(body)  # type: ignore[arg-type]


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded watch streams are not here")
def test_what_is_written_of_recorded_objects_means_what_they_mean() -> None:
    seen = set()
    for one in recorded():
        if one["kind"] != "Event":
            text = json_bytes(one)
            record = state_record(text, one["kind"], one["apiVersion"])
            assert meaning(record.value) == meaning(text)
            assert len(record.value) < len(text)
            seen.add(one["kind"])
    assert len(seen) == 11


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded watch streams are not here")
def test_what_is_written_of_recorded_events_means_what_they_mean() -> None:
    for one in recorded("events"):
        assert parse_event(event_record(json_bytes(one)).value) == parse_event(json_bytes(one))


def test_no_value_of_a_secret_is_encoded_wherever_it_stands() -> None:
    planted = api_object(
        "Secret",
        data={"password": SECRET, "empty": None},
        stringData={"token": SECRET},
        type="Opaque",
        immutable=SECRET,
    )
    planted["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": SECRET, "a": SECRET}
    planted["metadata"]["managedFields"] = [{"fieldsV1": {SECRET: {}}}]
    record = state_record(json_bytes(planted), "Secret", "v1")
    assert SECRET.encode() not in record.value
    assert msgspec.json.decode(record.value)["spec"] == {
        "data": {"password": None, "empty": None},
        "stringData": {"token": None},
        "type": "Opaque",
    }


def test_environment_arguments_and_annotations_of_a_pod_are_not_written() -> None:
    container = {
        "name": "web",
        "image": "web:1",
        "args": ["--password", SECRET],
        "command": [SECRET],
        "env": [{"name": "DB_PASSWORD", "value": SECRET}, {"name": "K", "valueFrom": {"secretKeyRef": {"name": "db", "key": "k"}}}],
        "envFrom": [{"secretRef": {"name": "db"}}],
        "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": SECRET}]}},
    }
    pod = api_object("Pod", spec={"nodeName": "n1", "containers": [container, container], "volumes": [{"secret": {"secretName": "tls"}}]})
    pod["metadata"]["annotations"] = {"a": SECRET}
    record = state_record(json_bytes(pod), "Pod", "v1")
    assert SECRET.encode() not in record.value
    assert meaning(record.value) == meaning(json_bytes(pod))


@pytest.mark.parametrize("kind", ["Pod", "Deployment", "Job"])
def test_addresses_leave_the_cluster_only_where_calls_are_wanted(kind: str) -> None:
    env = [{"name": "CART_ADDR", "value": "cart.shop:7070"}, {"name": "URL", "value": "http://pay:80"}, {"name": "MODE", "value": "fast"}]
    spec: dict[str, Any] = {"containers": [{"name": "web", "image": "web:1", "env": env}]}
    if kind != "Pod":
        spec = {"template": {"metadata": {"labels": {"app": "web"}}, "spec": spec}}
    text = json_bytes(api_object(kind, spec=spec))
    version = {"Pod": "v1", "Deployment": "apps/v1", "Job": "batch/v1"}[kind]
    with_calls, without = (state_record(text, kind, version, calls=calls).value for calls in (True, False))
    assert b"cart.shop:7070" in with_calls
    assert b"fast" not in with_calls
    assert not any(one in without for one in (b"cart.shop", b"http://pay", b"fast"))
    assert all(name in without for name in (b"CART_ADDR", b"URL", b"MODE"))


def test_a_secret_in_a_status_or_a_label_is_redacted_at_the_source() -> None:
    token = "ghp_0123456789abcdefghij"
    pod = api_object("Pod", status={"message": f"login with {token} failed", "phase": "Failed"})
    pod["metadata"]["labels"] = {"token": token}
    record = state_record(json_bytes(pod), "Pod", "v1")
    assert token.encode() not in record.value
    assert meaning(record.value) == meaning(json_bytes(pod))


def test_the_items_of_a_list_take_kind_and_version_from_their_collection() -> None:
    bare = {"metadata": {"name": "web", "namespace": "shop", "uid": "u"}, "spec": {"replicas": 3}}
    record = state_record(json_bytes(bare), "Deployment", "apps/v1")
    assert record.rid == "deployment:shop:web"
    assert msgspec.json.decode(record.value)["apiVersion"] == "apps/v1"


@pytest.mark.parametrize(
    "broken", [b"{}", b"[]", b'{"metadata":{}}', b'{"metadata":{"name":""}}', b'{"kind":"Pod","metadata":{"name":"a"}}']
)
def test_what_is_no_object_of_the_collection_is_refused(broken: bytes) -> None:
    with pytest.raises((ValueError, msgspec.DecodeError)):
        state_record(broken, "Node", "v1")


def test_an_object_larger_than_a_record_is_written_without_its_status_and_says_so() -> None:
    large = api_object("Widget", status={"text": ["x" * 1000] * 1200})
    record = state_record(json_bytes(large), "Widget", "v1")
    assert record.is_cut
    assert len(record.value) <= VALUE_BYTES
    assert meaning(record.value) is not None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_tombstone_with_the_key_ends_the_object(kind: Any) -> None:
    version = f"{kind.groups[-1]}/v1" if kind.groups[-1] else "v1"
    namespace = "" if kind.scope is Scope.CLUSTER else "shop"
    rid = clean_rid(kind.name, namespace, "a.b", version)
    decoded = decode_record(KafkaRecord(RESOURCES, 0, 1, AT_MS, key_of("af-10", rid), None, ()))
    assert decoded.key.client_id == "af-10"
    (mutation,) = resource_tombstone("af-10", decoded.ver, decoded.key.raw)
    assert getattr(mutation, "rid", "") == rid


@given(name=st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,40}[a-z0-9])?", fullmatch=True), group=st.sampled_from(["istio.io", "x.y.io"]))
def test_keys_of_cluster_scoped_custom_objects_name_the_tenant_and_the_object(name: str, group: str) -> None:
    rid = clean_rid("Widget", "", name, f"{group}/v1")
    record = KafkaRecord(RESOURCES, 0, 1, AT_MS, key_of("af-10", rid), None, ())
    decoded = decode_record(record)
    assert (decoded.key.client_id, decoded.key.raw) == ("af-10", rid)


def test_an_event_without_an_identity_is_refused_and_a_secret_in_its_message_goes() -> None:
    event = {"metadata": {"uid": "e1"}, "involvedObject": {"kind": "Pod", "name": "a"}, "message": f"password={SECRET}", "reason": "Failed"}
    record = event_record(json_bytes(event))
    assert SECRET.encode() not in record.value
    decoded = decode_record(KafkaRecord(EVENTS, 0, 1, AT_MS, key_of("af-10", record.uid), record.value, ()))
    assert decoded.fault is None
    with pytest.raises(ValueError, match="uid"):
        event_record(b'{"metadata":{}}')
