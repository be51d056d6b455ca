"""A reject names how its producer wrote the value or the key, and what to set there; what is fine is not touched."""

import gzip
import json
from typing import Any

import pytest

from tests.support.wire import EVENTS, LOGS, POD, RESOURCES, json_of, kafka_record
from transforms.records.decode import Decoded, decode_record
from transforms.records.json_text import with_whole_numbers
from transforms.records.record import Headers, KafkaRecord
from transforms.records.rejects import Reason, Reject
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.resolve_tenants import resolve

_TEXT = json_of(POD)
_OBJECT = {"metadata": {"name": "p", "namespace": "shop", "uid": "u-1"}, "spec": {"nodeName": "n1"}}


def decoded(value: bytes, topic: str = RESOURCES, headers: Headers = ()) -> Decoded:
    return decode_record(KafkaRecord(topic, 0, 0, kafka_record(topic, b"").timestamp_ms, b"af-10::k", value, headers))


@pytest.mark.parametrize(
    ("value", "reason", "said"),
    [
        (b"\xef\xbb\xbf" + _TEXT, Reason.NOT_JSON, "(BOM)"),
        (_TEXT.decode().encode("utf-16"), Reason.NOT_JSON, "UTF-16"),
        (_TEXT.decode().encode("utf-16-le"), Reason.NOT_JSON, "UTF-16"),
        (_TEXT.decode().encode("utf-16-be"), Reason.BAD_WRAPPER, "UTF-16"),
        (b"\xfe\xff" + _TEXT.decode().encode("utf-16-be"), Reason.NOT_JSON, "UTF-16"),
        (gzip.compress(_TEXT, mtime=0), Reason.NOT_JSON, "gzip"),
        (b"\x28\xb5\x2f\xfd" + _TEXT, Reason.NOT_JSON, "Zstandard"),
        (b"\x82SNAPPY\0" + _TEXT, Reason.NOT_JSON, "Snappy"),
        (b"\x04\x22\x4d\x18" + _TEXT, Reason.NOT_JSON, "LZ4"),
        (b"\x03\x00" + b"\x01" * 16 + _TEXT, Reason.NOT_JSON, "AWS Glue"),
        (b"\x03\x05" + b"\x01" * 16 + b"x", Reason.NOT_JSON, "AWS Glue"),
        (bytes(8) + b"\x0f" + b"DATA", Reason.SCHEMA_UNKNOWN, "Apicurio's 8-byte ids"),
        (bytes(7) + b"\x01\x00" + b"\x0cUPSERT", Reason.SCHEMA_UNKNOWN, "Apicurio's 8-byte ids"),
        (bytes(5) + _TEXT, Reason.BAD_WRAPPER, "write the JSON alone"),
        (b"\0\xff\xff\xff\xffabc", Reason.SCHEMA_UNKNOWN, "at most 2147483647"),
        (b"\0\x00\x00\x00\x07abc", Reason.SCHEMA_UNKNOWN, "schema 7 of a schema registry"),
        (b"\x84\xa2op\xa6UPSERT", Reason.NOT_JSON, "MessagePack"),
        (b"Obj\x01" + _TEXT, Reason.NOT_JSON, "a file of Avro's"),
        (str(POD).encode(), Reason.NOT_JSON, "json.dumps"),
        (_TEXT[:-1] + b',"status":{"n":NaN}}', Reason.NOT_JSON, "NaN"),
        (_TEXT[:-1] + b',"status":{"n":-Infinity}}', Reason.NOT_JSON, "-Infinity"),
        (_TEXT[:-1] + b',"status":{"text":"NaN"}', Reason.NOT_JSON, "truncated"),
        (_TEXT[:-1] + b',"status":{"n":1e999}}', Reason.WRONG_TYPE, "out of range"),
        (b"[" + _TEXT + b"]", Reason.WRONG_TYPE, "is an array"),
        (json.dumps(_TEXT.decode()).encode(), Reason.BAD_WRAPPER, "encoded once"),
        (json.dumps(_OBJECT).encode(), Reason.MISSING_FIELD, "lacks `kind`"),
        (json.dumps({"kind": "", "apiVersion": ""} | _OBJECT).encode(), Reason.WRONG_TYPE, "lacks `kind`"),
        (json.dumps({"type": "ADDED", "object": _OBJECT}).encode(), Reason.MISSING_FIELD, "lacks `kind`"),
        (
            json.dumps({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": [_OBJECT]}).encode(),
            Reason.BAD_VALUE,
            "a List holds many",
        ),
        (json.dumps({"kind": "PodList", "metadata": {}, "items": []}).encode(), Reason.BAD_VALUE, "a PodList holds many"),
        (json_of(POD, "op"), Reason.MISSING_FIELD, "`op`"),
    ],
)
def test_a_value_that_cannot_be_read_says_what_it_is_and_what_to_set(value: bytes, reason: Reason, said: str) -> None:
    fault = decoded(value).fault
    assert fault is not None
    assert fault.reason is reason
    assert said in fault.detail
    assert len(fault.detail) < 300


@pytest.mark.parametrize("name", ["apicurio.value.globalId", "apicurio.value.contentId", "__value_schema_id"])
def test_an_id_in_a_header_is_named(name: str) -> None:
    fault = decoded(b"\x0cUPSERT\x08abcd", headers=((name, b"15"),)).fault
    assert fault is not None
    assert "header" in fault.detail


def test_a_collectors_protobuf_is_named_on_its_topics() -> None:
    fault = decoded(b"\x0a\xc8\x01\x0a\x10\xff", LOGS).fault
    assert fault is not None
    assert "otlp_json" in fault.detail


@pytest.mark.parametrize(("type_", "message"), [("BOOKMARK", None), ("ERROR", "too old resource version: 1 (2)")])
def test_what_a_watch_says_of_itself_is_no_event(type_: str, message: str | None) -> None:
    body = {"type": type_, "object": {"kind": "Status", "apiVersion": "v1", "metadata": {}, "message": message, "code": 410}}
    fault = decoded(json.dumps(body).encode(), EVENTS).fault
    assert fault is not None
    assert (fault.reason, type_ in fault.detail, message is None or message in fault.detail) == (Reason.BAD_VALUE, True, True)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ('"af-10::pod:shop:p"', "in quotes"),
        ("\0\0\0\0\x07\x0caf-10::pod:shop:p", "a string serializer"),
        ("af-10|pod:shop:p", "--legacy_separator_topics"),
        ("af-10:pod:shop:p", "a single colon follows 'af-10'; if that is the tenant, write two: `af-10::…`"),
        ("af-10:widget.acme.io:shop:p", "write two: `af-10::…`"),
    ],
)
def test_a_key_that_names_no_tenant_says_why(key: str, said: str) -> None:
    found = resolve(decode_record(kafka_record(RESOURCES, _TEXT, key.encode())), TenantResolver(TenantRules()))
    assert isinstance(found, Reject)
    assert (found.reason, said in found.detail) == (Reason.TENANT_MISSING, True), found.detail


@pytest.mark.parametrize(
    ("key", "named"),
    [("Team_Blue::pod:shop:p", "'Team_Blue'"), ("Prod-EU::pod:shop:p", "'Prod-EU'"), ("x" * 64 + "::k", "xxx"), ("::k", "''")],
)
def test_a_key_that_names_an_invalid_tenant_is_told_the_rule(key: str, named: str) -> None:
    found = resolve(decode_record(kafka_record(RESOURCES, _TEXT, key.encode())), TenantResolver(TenantRules()))
    assert isinstance(found, Reject)
    assert found.reason is Reason.TENANT_INVALID
    assert found.detail.startswith("the key names the tenant ")
    assert named in found.detail
    assert "lower-case letters, digits, dots and hyphens, at most 63" in found.detail


@pytest.mark.parametrize(
    "key", ["pod:shop:p", "node::n1", "u-1", "", "nodepool:default", "widget:shop:p", "edge:pod:shop:a->node::n1", "a/b::c"]
)
def test_a_key_that_need_name_none_is_not_blamed(key: str) -> None:
    found = resolve(decode_record(kafka_record(RESOURCES, _TEXT, key.encode())), TenantResolver(TenantRules()))
    assert isinstance(found, Reject)
    assert found.detail.startswith("neither key, topic, header nor registry")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (b'{"replicas":3.0}', b'{"replicas":3}'),
        (b'{"n":-7.000,"m":[1.0,2.50,0.0]}', b'{"n":-7,"m":[1,2.50,0]}'),
        (b'{"a":"3.0","b\\"":"\\\\","c":4.0}', b'{"a":"3.0","b\\"":"\\\\","c":4}'),
        (b'{"n":1.0e3,"m":1.05,"v":"1.0.0"}', b'{"n":1.0e3,"m":1.05,"v":"1.0.0"}'),
    ],
)
def test_whole_numbers_are_told_from_others_and_from_text(text: bytes, whole: bytes) -> None:
    assert with_whole_numbers(text) == whole


@pytest.mark.parametrize(
    "body",
    [
        POD | {"replicas": 3.0},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"replicas": 3.0}},
    ],
)
def test_a_whole_number_written_as_a_float_is_the_number(body: dict[str, Any]) -> None:
    found = decoded(json.dumps(body).encode())
    assert found.fault is None
    assert getattr(found.body, "replicas", None) == 3
    broken = decoded(json.dumps(body).replace("3.0", "3.5").encode()).fault
    assert broken is not None
    assert "got `float`" in broken.detail or broken.reason is Reason.MISSING_FIELD
