"""Signs of life: by the broker's time or none, and what clusters say of themselves."""

from msgspec import structs

from tests.support.wire import AT_MS, HEARTBEATS, POD, REGISTRY, RESOURCES, json_of, kafka_record
from transforms.records.decode import Decoded, decode_record
from transforms.records.envelopes.types import Heartbeat, Registration
from transforms.records.liveness_signals import LivenessSignals
from transforms.records.outcomes import Outcome
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject
from transforms.records.tenancy.directory import Directory
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.resolve_tenants import resolve

REGISTRATION = {"client_id": "af-10", "cluster": "east", "registered_at": "2026-01-01T00:00:00Z", "labels": {"b": "2", "a": "1"}, "more": 1}


def _record(topic: str, value: bytes | None, key: bytes | None = b"af-10", *, offset: int = 0) -> KafkaRecord:
    return kafka_record(topic, value, key, offset=offset)


def _resolved(decoded: Decoded) -> object:
    return resolve(decoded, TenantResolver(TenantRules()))


def test_registrations_and_heartbeats_are_control_records_of_the_tenant_that_is_their_key() -> None:
    registered = decode_record(_record(REGISTRY, json_of(REGISTRATION)))
    assert isinstance(registered.body, Registration)
    assert _resolved(registered) == ("af-10", Outcome.CONTROL)
    assert _resolved(decode_record(_record(REGISTRY, None))) == ("af-10", Outcome.CONTROL)
    beat = decode_record(_record(HEARTBEATS, b'{"client_id":"af-10","at":"2019-01-01T00:00:00Z"}'))
    assert beat.body == Heartbeat("af-10", beat.body.at)  # type: ignore[union-attr]
    assert _resolved(beat) == ("af-10", Outcome.CONTROL), "a clock that is years wrong is no fault of a heartbeat"


def test_what_they_say_of_another_tenant_or_of_none_is_rejected() -> None:
    for topic, value, key, reason in [
        (REGISTRY, json_of(REGISTRATION, client_id="af-11"), b"af-10", Reason.TENANT_MISMATCH),
        (REGISTRY, json_of(REGISTRATION), b"Node", Reason.TENANT_INVALID),
        (REGISTRY, json_of(REGISTRATION), None, Reason.TENANT_MISSING),
        (REGISTRY, None, None, Reason.BAD_KEY),
        (REGISTRY, json_of(REGISTRATION, "client_id"), b"af-10", Reason.MISSING_FIELD),
        (REGISTRY, json_of(REGISTRATION, cluster=1), b"af-10", Reason.WRONG_TYPE),
        (HEARTBEATS, None, b"af-10", Reason.EMPTY_VALUE),
        (HEARTBEATS, b"{}", None, Reason.TENANT_MISSING),
    ]:
        found = _resolved(decode_record(_record(topic, value, key)))
        assert isinstance(found, Reject)
        assert found.reason is reason, (topic, value, key)


def _told(*records: KafkaRecord) -> LivenessSignals:
    signs = LivenessSignals()
    for record in records:
        signs.pass_by([record.timestamp_ms])
        signs.hear([("af-10", record)])
        signs.greet("af-10", decode_record(record))
    return signs


def test_only_the_broker_s_time_is_kept_and_the_latest_of_it() -> None:
    producer = _record(RESOURCES, json_of(POD), b"af-10::x")
    broker = structs.replace(producer, is_broker_time=True)
    assert _told(producer).seen == {"af-10": 0}
    assert _told(structs.replace(broker, timestamp_ms=AT_MS + 5), broker, producer).seen == {"af-10": AT_MS + 5}


def test_the_newest_word_of_the_registry_holds_and_data_alone_greets_nobody() -> None:
    first, gone = _record(REGISTRY, json_of(REGISTRATION)), _record(REGISTRY, None, offset=1)
    back = _record(REGISTRY, json_of(REGISTRATION), offset=2)

    signs = _told(first, gone)
    assert signs.registered["af-10"].registration is None
    assert [record.offset for _, record in signs.registry] == [0, 1]
    said = _told(back, gone, first).registered["af-10"]
    assert said.registration is not None
    assert (said.at_ms, said.registered_ms) == (AT_MS, 1_767_225_600_000)
    assert _told(gone).greeted == set()
    assert _told(_record(RESOURCES, json_of(POD), b"af-10::x")).greeted == set()
    assert _told(_record(HEARTBEATS, b"{}")).greeted == {"af-10"}


def test_a_replay_tells_of_registrations_and_gives_no_sign_of_life() -> None:
    said = _told(_record(REGISTRY, json_of(REGISTRATION)), _record(HEARTBEATS, b"{}", offset=1)).without_life()
    assert (said.seen, said.seconds, said.greeted) == ({}, set(), {"af-10"})
    assert len(said.registry) == len(said.registered) == 1


def test_what_was_judged_before_and_what_has_not_come_yet_is_left_out() -> None:
    signs = _told(*(structs.replace(_record(HEARTBEATS, b"{}"), timestamp_ms=AT_MS + at * 1000) for at in range(10)))
    assert signs.since(Directory(now_ms=AT_MS + 7_500, judged_ms=AT_MS + 3_000)).seconds == {AT_MS // 1000 + at for at in (4, 5, 6, 7)}


def test_a_registration_with_go_s_zero_time_was_registered_when_its_record_says() -> None:
    record = _record(REGISTRY, json_of(REGISTRATION | {"registered_at": "0001-01-01T00:00:00Z"}))
    assert _told(record).registered["af-10"].registered_ms == AT_MS
