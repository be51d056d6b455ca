"""Headers as both readers tell them: a name that is not UTF-8 makes the record a reject, whichever reads it."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.wire import AT_MS, LOG, LOGS, POD, RESOURCES, json_of
from transforms.records.decode import Decoded, decode_record
from transforms.records.record import UNREADABLE_HEADERS, Headers, KafkaRecord
from transforms.records.rejects import Reason
from transforms.steps.read import record_of


def decoded(headers: Headers, value: bytes | None = json_of(POD), topic: str = RESOURCES) -> Decoded:
    return decode_record(KafkaRecord(topic, 0, 7, AT_MS, b"af-10::pod:shop:p", value, headers))


@pytest.mark.parametrize("headers", [UNREADABLE_HEADERS, (("a", b"x"), ("client_id\ufffd", b"af-11")), (("\ufffd\ufffd", b""),)])
@pytest.mark.parametrize(("topic", "value"), [(RESOURCES, json_of(POD)), (RESOURCES, None), (LOGS, json_of(LOG, severity="INFO"))])
def test_a_name_that_is_not_utf_8_is_a_fault_whatever_the_record_is(headers: Headers, topic: str, value: bytes | None) -> None:
    fault = decoded(headers, value, topic).fault
    assert fault is not None
    assert (fault.reason, fault.parsed) == (Reason.BAD_HEADER, False)


def test_values_of_headers_may_be_any_bytes() -> None:
    assert decoded((("trace", b"\xff\xfe"), ("é", None))).fault is None


def test_another_tenants_record_is_passed_over_in_single_tenant_mode() -> None:
    record = KafkaRecord(RESOURCES, 0, 7, AT_MS, b"af-10::pod:shop:p", b"{}", UNREADABLE_HEADERS)
    assert decode_record(record, only="af-11").fault is None


def row(*headers: tuple[str, bytes | None]) -> Any:
    held = [SimpleNamespace(key=name, value=value) for name, value in headers]
    return SimpleNamespace(topic="t", partition=0, offset=1, timestamp=AT_MS, timestampTypeId=0, key=b"k", value=b"v", headers=held)


def test_the_connector_s_names_end_where_librdkafka_s_do() -> None:
    """Of a name with a zero byte librdkafka tells what is before it: what names a tenant must be the same to both."""
    assert record_of(row(("client_id\0x", b"af-10"), ("\0", None))).headers == (("client_id", b"af-10"), ("", None))
