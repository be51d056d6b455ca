"""What the archive keeps of a record: no secret, and all that the graph is built from."""

import base64
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.sampling.stream import sample_stream
from tests.support.avro_samples import POD_SCHEMA, avro, framed
from tests.support.patience import examples
from tests.support.wire import (
    AT_MS,
    EDGE,
    EVENT,
    EVENTS,
    LOG,
    LOGS,
    POD,
    RESOURCES,
    RULE,
    RULES,
    TARGET,
    TARGETS,
    TOPOLOGY,
    json_of,
    kafka_record,
)
from transforms.planning.archive.retained import Archiving
from transforms.planning.interpret.dispatch import interpret
from transforms.records.archive_format.archived import VALUE_BYTES, Archived
from transforms.records.decode import decode_record
from transforms.records.decoded_bodies import Contents
from transforms.records.outcomes import NO_TENANT
from transforms.records.record import Headers, KafkaRecord
from transforms.records.redaction.text import redact_text
from transforms.records.redaction.tree import is_suspicious, redact_leaf, redact_tree
from transforms.records.rejects import Fault, Reject
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.records.wrappers.avro import AvroReader
from transforms.steps.elements import Resolved
from transforms.steps.resolve_tenants import resolve
from transforms.testing.memory_graph import MemoryGraphStore

pytestmark = pytest.mark.slow

HIDDEN = "hunter2hunter2"
HIDDEN_64 = base64.b64encode(HIDDEN.encode()).decode()
KEY = b"af-10::k"


def digests(records: Iterable[KafkaRecord]) -> dict[str, str]:
    """Each tenant's digest after the records."""
    store = MemoryGraphStore()
    for record in records:
        decoded = decode_record(record)
        owned = resolve(decoded, TenantResolver(TenantRules()))
        if isinstance(owned, Resolved) and decoded.body is not None:
            try:
                found = interpret(decoded.route.topic, decoded.body, owned.client_id, decoded.ver, raw_key=decoded.key.raw)
            except Fault:
                continue
            store.write_batch(owned.client_id, found)
    return {client_id: store.digest(client_id).hexdigest() for client_id in store.tenants}


def kept(records: Iterable[KafkaRecord], archiving: Archiving | None = None) -> list[Archived]:
    """What the archive keeps of records that are taken in, decoded as the flow does, which remembers bodies."""
    contents, mine, found = Contents(), archiving or Archiving(decode_record), list[Archived]()
    for record in records:
        decoded = decode_record(record, contents=contents)
        owned = resolve(decoded, TenantResolver(TenantRules()))
        if isinstance(owned, Reject):
            continue
        client_id = owned.client_id if isinstance(owned, Resolved) else owned[0]
        found.append(mine.archived("" if client_id == NO_TENANT else client_id, decoded))
    return found


def record_of(topic: str, body: dict[str, Any], key: bytes = KEY, offset: int = 0, headers: Headers = ()) -> KafkaRecord:
    return KafkaRecord(topic, 0, offset, AT_MS + offset, key, json_of(body), headers)


SECRET = POD | {"kind": "Secret", "name": "db", "spec": {"type": "Opaque", "data": {"password": HIDDEN_64}, "stringData": {"user": HIDDEN}}}
ENV = [{"name": "DB_PASSWORD", "value": HIDDEN}, {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]
APPLIED = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"password":"{HIDDEN}"}}'}
WITH_ENV = POD | {"annotations": APPLIED, "spec": {"containers": [{"name": "auth", "env": ENV, "args": [f"--token={HIDDEN}"]}]}}

DIRTY = {
    "secret": record_of(RESOURCES, SECRET, b"af-10::secret:shop:db"),
    "secret of another spelling": record_of(RESOURCES, SECRET | {"kind": "SECRET"}, b"af-10::x"),
    "secret with null data": record_of(
        RESOURCES, SECRET | {"spec": {"data": None, "stringData": {"user": HIDDEN}}}, b"af-10::secret:shop:db"
    ),
    "secret watched": record_of(
        RESOURCES,
        {
            "type": "ADDED",
            "object": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "shop"}, "data": {"p": HIDDEN_64}},
        },
        b"af-10::secret:shop:db",
    ),
    "environment": record_of(RESOURCES, WITH_ENV),
    "log": record_of(LOGS, LOG | {"message": f"login failed, password={HIDDEN}"}),
    "log without an id": record_of(LOGS, {k: v for k, v in LOG.items() if k != "event_id"} | {"message": f"db://me:{HIDDEN}@h refused"}),
    "filtered log": record_of(LOGS, LOG | {"severity": "INFO", "message": f"token: {HIDDEN}"}),
    "event": record_of(EVENTS, EVENT | {"message": f"pull of https://me:{HIDDEN}@registry/x failed"}),
    "event in base64": record_of(
        EVENTS,
        {
            "specversion": "1.0",
            "id": "1",
            "source": "/s",
            "data_base64": base64.b64encode(json_of(EVENT | {"message": f"token={HIDDEN}"})).decode(),
        },
    ),
    "event wrapped": record_of(EVENTS, {"specversion": "1.0", "id": "1", "source": "/s", "data": EVENT | {"message": f"token={HIDDEN}"}}),
    "event with headers": record_of(EVENTS, EVENT, headers=(("authorization", HIDDEN.encode()), ("note", f"password={HIDDEN}".encode()))),
    "target": record_of(TARGETS, TARGET | {"scrapeUrl": f"http://me:{HIDDEN}@10.0.0.1/metrics?api_key={HIDDEN}"}),
    "escaped": KafkaRecord(
        RESOURCES, 0, 0, AT_MS, KEY, json_of(SECRET).replace(b'"kind":"Secret"', b'"kind":"\\u0053ecret"').replace(b"/", b"\\/")
    ),
    "undecoded": record_of("traces.raw", {"password": "x", "env": {"name": "TOKEN", "value": HIDDEN}}),
}


@pytest.mark.parametrize("name", DIRTY)
def test_no_secret_is_kept_and_the_graph_is_the_same(name: str) -> None:
    record = DIRTY[name]

    (one,) = kept([record])

    assert one.redacted
    assert one.withheld is None
    held = msgspec.msgpack.encode(one)
    assert (
        HIDDEN.encode() in msgspec.msgpack.encode(record)
        or HIDDEN_64.encode() in (record.value or b"")
        or b"data_base64" in (record.value or b"")
    )
    assert HIDDEN.encode() not in held
    assert HIDDEN_64.encode() not in held
    assert digests([one.record]) == digests([record])
    assert (one.record.topic, one.record.offset, one.record.timestamp_ms, one.record.key) == (record.topic, 0, AT_MS, record.key)


# What looks like a secret, is none, and makes the graph.
LOOKALIKES = {
    "edge": record_of(TOPOLOGY, EDGE | {"to": "secret:shop:db-creds", "id": "password: of the database"}),
    "image": record_of(RESOURCES, POD | {"image": "token:v1.2.3", "labels": {"app": "auth", "token": "token:abcdef"}}),
    "status": record_of(RESOURCES, POD | {"status": {"phase": "Pending", "message": "secret: shop/db not found"}}),
    "rule": record_of(RULES, RULE | {"expr": 'up{token="abcdef"} == 0', "annotations": {"runbook": "https://w/?token=abcdef"}}),
    "variable": record_of(RESOURCES, POD | {"spec": {"volumes": [{"name": "token", "secret": {"secretName": "token:abcdef"}}]}}),
}


@pytest.mark.parametrize("name", LOOKALIKES)
def test_what_the_graph_holds_anyway_is_kept(name: str) -> None:
    record = LOOKALIKES[name]
    (one,) = kept([record])
    assert one.withheld is None
    assert digests([one.record]) == digests([record]) != {}


def test_a_resync_of_what_was_redacted_has_its_own_time() -> None:
    records = [record_of(RESOURCES, WITH_ENV | {"at": f"2026-03-01T08:00:0{at}Z"}, offset=at) for at in range(5)]
    clean = [record_of(RESOURCES, POD | {"at": f"2026-03-01T08:00:0{at}Z"}, offset=at) for at in range(3)]

    found = kept(records)

    assert [one.record.value for one in found] == [one.record.value for record in records for one in kept([record])]
    assert len({one.record.value for one in found}) == 5
    assert HIDDEN.encode() not in msgspec.msgpack.encode(found)
    assert [one.record for one in kept(clean)] == clean


def test_a_value_of_the_wire_format_is_kept_as_json() -> None:
    reader = AvroReader([msgspec.json.encode(POD_SCHEMA).decode()])

    def decode(record: KafkaRecord) -> Any:
        return decode_record(record, schemas=lambda _id, _asker: reader)

    payload = avro(POD_SCHEMA, {"op": "UPSERT", "at": AT_MS, "kind": "Pod", "namespace": "shop", "name": "p", "image": f"x?token={HIDDEN}"})
    record = kafka_record(RESOURCES, framed(7, payload))

    one = Archiving(decode, lambda _id, _asker: reader).archived("af-10", decode(record))

    assert one.redacted
    read, meant = decode_record(one.record), decode(record)
    assert read.body is not None
    assert meant.body is not None
    assert interpret(RESOURCES, read.body, "af-10", read.ver) == interpret(RESOURCES, meant.body, "af-10", meant.ver)
    assert HIDDEN.encode() not in (one.record.value or b"")
    assert (one.record.value or b"").startswith(b'{"op":"UPSERT"')


@pytest.mark.parametrize("value", [b"\0\0\0\0\7opaque", b"plain password=hunter2hunter2", b"[" * 5000 + b'"secret"'])
def test_what_nobody_can_look_into_is_withheld(value: bytes) -> None:
    (one,) = kept([kafka_record("traces.raw", value)])
    assert (one.record.value, one.redacted) == (None, False)
    assert one.withheld is not None
    assert (one.withheld.size_bytes, len(one.withheld.sha256), one.withheld.truncated) == (len(value), 32, False)


def test_what_is_too_large_is_withheld_and_told() -> None:
    for record in (
        kafka_record("traces.raw", b" " * (VALUE_BYTES + 1)),
        kafka_record("traces.raw", b"{}", b"k" * 2_000_000),
        KafkaRecord("traces.raw", 0, 0, AT_MS, None, b"{}", (("h", b"x" * 2_000_000),)),
    ):
        (one,) = kept([record])
        assert one.withheld is not None
        assert one.withheld.truncated
        assert len(msgspec.msgpack.encode(one)) < 3000


def test_tombstones_and_empty_values_stay_what_they_are() -> None:
    for value in (None, b""):
        (one,) = kept([kafka_record(RESOURCES, value, b"af-10::secret:shop:db")])
        assert (one.record.value, one.redacted, one.withheld) == (value, False, None)


@pytest.mark.parametrize("seed", range(4))
def test_a_whole_stream_gives_the_same_graphs(seed: int) -> None:
    stream = sample_stream(clusters=2, resyncs=3, seed=seed, poison_classes=99).records
    records = [KafkaRecord(one.topic, 0, at, one.timestamp_ms, one.key, one.value, one.headers) for at, one in enumerate(stream)]
    records += [msgspec.structs.replace(one, offset=len(records) + at) for at, one in enumerate([*DIRTY.values(), *LOOKALIKES.values()])]

    found = kept(records)

    assert not [one for one in found if one.withheld]
    assert digests(one.record for one in found) == digests(records)
    again = kept(one.record for one in found)
    assert [one.record for one in again] == [one.record for one in found], "what was redacted is redacted already"


TEXTS = st.lists(
    st.sampled_from(
        ["password", "=", ":", " ", HIDDEN, "://", "me", "@", "?token=", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "bearer ", "é", "\\"]
    )
).map("".join)


@settings(max_examples=examples(150), deadline=None)
@given(TEXTS)
def test_what_is_not_suspicious_holds_nothing_that_redaction_takes_out(text: str) -> None:
    for body in ({"message": text}, {"name": text, "value": "x"}, {"a": [{text: "x"}]}):
        encoded = msgspec.json.encode(body)
        if not is_suspicious(encoded):
            assert redact_tree(body) == body
    assert redact_leaf(redact_leaf(text)) == redact_leaf(text) or redact_text(text) != text


@settings(max_examples=examples(100), deadline=None)
@given(TEXTS)
def test_any_message_of_an_event_or_line_of_a_log_gives_the_same_graph(text: str) -> None:
    for topic, body in ((EVENTS, EVENT), (LOGS, LOG)):
        record = record_of(topic, body | {"message": text})
        for one in kept([record]):
            if one.withheld is None:
                assert digests([one.record]) == digests([record])
