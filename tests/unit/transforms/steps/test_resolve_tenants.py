"""Every decoded record is owned, rejected with its step and reason, or counted under an outcome: exactly one of these."""

import pytest
from msgspec import structs

from tests.support.wire import COMMANDS, EVENT, EVENTS, POD, RESOURCES, json_of, kafka_record
from transforms.model.limits import KEY_BYTES
from transforms.records.decode import decode_record
from transforms.records.outcomes import NO_TENANT, Outcome
from transforms.records.record import t_of
from transforms.records.rejects import Reason, Reject, Step
from transforms.records.tenancy.directory import ClusterEntry, directory_of
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.elements import Resolved
from transforms.steps.resolve_tenants import resolve

_ALL = TenantResolver(TenantRules())
_REGISTERED = TenantResolver(TenantRules(), directory_of([ClusterEntry("af-10", is_registered=True)], 0))
_SINGLE = TenantResolver(TenantRules("af-10"))

_BAD = b"{not json"
_GOOD = json_of(POD)
_LONG_KEY = b"af-11::" + b"k" * KEY_BYTES
_COMMAND = b'{"command":"ENSURE_SCHEMA"}'


def _says(client_id: str) -> bytes:
    return json_of(POD, client_id=client_id)


def _resolved(topic: str, key: bytes | None, value: bytes | None, resolver: TenantResolver) -> Resolved | Reject | tuple[str, Outcome]:
    return resolve(decode_record(kafka_record(topic, value, key), only=resolver.rules.client_id), resolver)


@pytest.mark.parametrize(
    ("topic", "key", "value", "resolver", "client_id"),
    [
        (RESOURCES, b"af-10::pod:shop:p", _GOOD, _ALL, "af-10"),
        (RESOURCES, b"af-10::pod:shop:p", _says("af-10"), _ALL, "af-10"),
        (RESOURCES, b"af-10::pod:shop:p", None, _ALL, "af-10"),
        (RESOURCES, b"pod:shop:p", _says("af-10"), _REGISTERED, "af-10"),
        (RESOURCES, None, _says("af-10"), _REGISTERED, "af-10"),
        (EVENTS, b"some-uid", json_of(EVENT, client_id="af-10"), _REGISTERED, "af-10"),
        (RESOURCES, b"pod:shop:p", _GOOD, _SINGLE, "af-10"),
        (RESOURCES, b"pod:shop:p", None, _SINGLE, "af-10"),
        (RESOURCES, b"node::n1", _GOOD, _SINGLE, "af-10"),
        (RESOURCES, b"af-10::pod:shop:p", _GOOD, _SINGLE, "af-10"),
        (RESOURCES, None, _GOOD, _SINGLE, "af-10"),
    ],
)
def test_a_record_whose_tenant_is_known_is_owned(
    topic: str, key: bytes | None, value: bytes | None, resolver: TenantResolver, client_id: str
) -> None:
    decoded = decode_record(kafka_record(topic, value, key), only=resolver.rules.client_id)
    assert resolve(decoded, resolver) == Resolved(client_id, decoded)


@pytest.mark.parametrize(
    ("topic", "key", "value", "resolver", "outcome"),
    [
        (RESOURCES, b"af-11::pod:shop:p", _GOOD, _SINGLE, ("af-11", Outcome.SKIPPED)),
        (RESOURCES, b"af-11::pod:shop:p", _BAD, _SINGLE, ("af-11", Outcome.SKIPPED)),
        (RESOURCES, b"af-11::pod:shop:p", None, _SINGLE, ("af-11", Outcome.SKIPPED)),
        (RESOURCES, b"pod:shop:p", _says("af-11"), _SINGLE, ("af-11", Outcome.SKIPPED)),
        (COMMANDS, b"af-11::schema", _COMMAND, _SINGLE, ("af-11", Outcome.SKIPPED)),
        (RESOURCES, b"af-11::\xff", _GOOD, _SINGLE, ("af-11", Outcome.SKIPPED)),
        (RESOURCES, _LONG_KEY, _GOOD, _SINGLE, ("af-11", Outcome.SKIPPED)),
        (RESOURCES, _LONG_KEY, None, _SINGLE, ("af-11", Outcome.SKIPPED)),
        ("x", b"af-11::k", _BAD, _SINGLE, ("af-11", Outcome.SKIPPED)),
        ("x", b"af-11::\xff", _BAD, _ALL, ("af-11", Outcome.UNDECODED)),
        ("x", _LONG_KEY, _BAD, _ALL, ("af-11", Outcome.UNDECODED)),
        ("x", b"\xff", _BAD, _SINGLE, ("af-10", Outcome.UNDECODED)),
        ("x", b"\xff" * 2000, _BAD, _ALL, (NO_TENANT, Outcome.UNDECODED)),
        ("x", b"af-10::k", _BAD, _ALL, ("af-10", Outcome.UNDECODED)),
        ("x", b"k", _BAD, _ALL, (NO_TENANT, Outcome.UNDECODED)),
        ("x", None, None, _SINGLE, ("af-10", Outcome.UNDECODED)),
        (COMMANDS, b"schema", _COMMAND, _ALL, (NO_TENANT, Outcome.CONTROL)),
        (COMMANDS, b"af-10::schema", _COMMAND, _ALL, ("af-10", Outcome.CONTROL)),
        (COMMANDS, None, _COMMAND, _SINGLE, ("af-10", Outcome.CONTROL)),
    ],
)
def test_a_record_that_does_not_concern_the_graph_is_counted(
    topic: str, key: bytes | None, value: bytes | None, resolver: TenantResolver, outcome: tuple[str, Outcome]
) -> None:
    assert _resolved(topic, key, value, resolver) == outcome


@pytest.mark.parametrize(
    ("topic", "key", "value", "resolver", "client_id", "step", "reason"),
    [
        (RESOURCES, b"af-10::pod:shop:p", _BAD, _ALL, "af-10", Step.DECODE, Reason.NOT_JSON),
        (RESOURCES, b"pod:shop:p", _BAD, _ALL, "", Step.DECODE, Reason.NOT_JSON),
        (RESOURCES, b"pod:shop:p", _BAD, _SINGLE, "af-10", Step.DECODE, Reason.NOT_JSON),
        (RESOURCES, b"af-11::\xff", _GOOD, _ALL, "af-11", Step.DECODE, Reason.BAD_KEY),
        (RESOURCES, b"af-10::\xff", _GOOD, _SINGLE, "af-10", Step.DECODE, Reason.BAD_KEY),
        (RESOURCES, b"\xff", _GOOD, _SINGLE, "af-10", Step.DECODE, Reason.BAD_KEY),
        (RESOURCES, b"\xff::k", _GOOD, _ALL, "", Step.DECODE, Reason.BAD_KEY),
        (RESOURCES, _LONG_KEY, _GOOD, _ALL, "af-11", Step.DECODE, Reason.LIMIT_EXCEEDED),
        (COMMANDS, b"af-10::x", b'{"command":"X"}', _ALL, "af-10", Step.DECODE, Reason.UNKNOWN_COMMAND),
        (RESOURCES, b"pod:shop:p", _GOOD, _ALL, "", Step.RESOLVE_TENANT, Reason.TENANT_MISSING),
        (RESOURCES, b"node::n1", _GOOD, _ALL, "", Step.RESOLVE_TENANT, Reason.TENANT_MISSING),
        (RESOURCES, b"pod:shop:p", None, _ALL, "", Step.RESOLVE_TENANT, Reason.TENANT_MISSING),
        (RESOURCES, None, _says("af-10"), _ALL, "", Step.RESOLVE_TENANT, Reason.TENANT_MISSING),
        (RESOURCES, None, _says("af-11"), _REGISTERED, "", Step.RESOLVE_TENANT, Reason.TENANT_MISSING),
        (RESOURCES, b"af-10::pod:shop:p", _says("af-11"), _ALL, "af-10", Step.RESOLVE_TENANT, Reason.TENANT_MISMATCH),
        (RESOURCES, b"af-10::pod:shop:p", _says("af-11"), _SINGLE, "af-10", Step.RESOLVE_TENANT, Reason.TENANT_MISMATCH),
        (EVENTS, b"af-11::k", json_of(EVENT, client_id="af-10"), _REGISTERED, "af-11", Step.RESOLVE_TENANT, Reason.TENANT_MISMATCH),
        (RESOURCES, b"af-10::pod:shop:p", _says("NOT VALID"), _ALL, "af-10", Step.RESOLVE_TENANT, Reason.TENANT_INVALID),
        (RESOURCES, b"pod:shop:p", _says("node"), _SINGLE, "af-10", Step.RESOLVE_TENANT, Reason.TENANT_INVALID),
    ],
)
def test_a_faulty_record_is_rejected_whole_under_the_tenant_that_is_known(
    topic: str, key: bytes | None, value: bytes | None, resolver: TenantResolver, client_id: str, step: Step, reason: Reason
) -> None:
    found = _resolved(topic, key, value, resolver)
    assert isinstance(found, Reject)
    assert (found.client_id, found.step, found.reason) == (client_id, step, reason)
    assert found.record == kafka_record(topic, value, key)
    assert found.parsed is (step is not Step.DECODE or reason is Reason.UNKNOWN_COMMAND)


def test_who_is_not_let_in_is_rejected_under_the_name_that_the_header_gives() -> None:
    record = structs.replace(kafka_record(RESOURCES, _GOOD, b"pod:shop:p"), headers=(("client_id", b"af-12"),))
    found = resolve(decode_record(record), TenantResolver(TenantRules(deny=("af-12",))))
    assert isinstance(found, Reject)
    assert (found.client_id, found.reason) == ("af-12", Reason.TENANT_DENIED)


@pytest.mark.parametrize("topic", [RESOURCES, EVENTS, "cluster.registry"])
def test_a_record_of_the_future_is_rejected_by_the_graph_servers_clock(topic: str) -> None:
    value = {RESOURCES: _GOOD, EVENTS: json_of(EVENT), "cluster.registry": b'{"client_id":"af-10"}'}[topic]
    key = b"af-10" if topic == "cluster.registry" else b"af-10::k"
    decoded = decode_record(kafka_record(topic, value, key))
    at_ms = int(t_of(decoded.ver)) // 1000
    day_ms = 86_400_000

    def resolved(now_ms: int) -> Resolved | Reject | tuple[str, Outcome]:
        return resolve(decoded, TenantResolver(TenantRules(), directory_of([], now_ms)))

    rejected = resolved(at_ms - day_ms - 1)
    assert isinstance(rejected, Reject)
    assert (rejected.client_id, rejected.step, rejected.reason) == ("af-10", Step.RESOLVE_TENANT, Reason.BAD_TIME)
    assert "message.timestamp.type" in rejected.detail
    assert not isinstance(resolved(at_ms - day_ms), Reject)


def test_a_tombstone_of_the_future_is_rejected_too() -> None:
    gone = structs.replace(kafka_record(RESOURCES, None, b"af-10::pod:shop:p"), timestamp_ms=253_000_000_000_000)
    rejected = resolve(decode_record(gone), TenantResolver(TenantRules(), directory_of([], 1_772_352_000_000)))
    assert isinstance(rejected, Reject)
    assert rejected.reason is Reason.BAD_TIME
