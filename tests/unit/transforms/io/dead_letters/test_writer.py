"""A dead letter holds the original bytes and coordinates, and never the value of what is or may be a Secret."""

from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import AT_MS, EVENTS, RESOURCES, TOPOLOGY, kafka_record
from transforms.io.dead_letters.writer import encode_deadletter, letter_of
from transforms.model.limits import DEADLETTER_MESSAGE_BYTES, DEADLETTER_VALUE_BYTES
from transforms.records.decode import decode_record
from transforms.records.record import KafkaRecord
from transforms.records.redaction.secret_names import is_secret_name
from transforms.records.rejects import Reason, Reject, Step

_KIB = 1024
_Headers = tuple[tuple[str, bytes | None], ...]


def _reject(
    key: bytes | None = b"af-10::pod:shop:p",
    value: bytes | None = b"{}",
    headers: _Headers = (),
    topic: str = RESOURCES,
    client_id: str = "af-10",
    *,
    parsed: bool = True,
) -> Reject:
    record = KafkaRecord(topic, 3, 42, AT_MS, key, value, headers)
    return Reject(record, client_id, Step.INTERPRET, Reason.BAD_VALUE, "why", parsed)


def _letter(reject: Reject) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(encode_deadletter(reject))
    return decoded


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)


def test_a_letter_holds_everything_about_the_reject() -> None:
    assert _letter(_reject(headers=(("h", b"\xff"), ("h", None)))) == {
        "version": 1,
        "reason": "bad_value",
        "detail": "why",
        "step": "interpret",
        "client_id": "af-10",
        "topic": RESOURCES,
        "partition": 3,
        "offset": 42,
        "timestamp_ms": AT_MS,
        "key": "YWYtMTA6OnBvZDpzaG9wOnA=",
        "headers": [["h", "/w=="], ["h", None]],
        "value": "e30=",
        "withheld": False,
        "redacted": False,
        "truncated": False,
        "value_bytes": 2,
        "value_sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    }


_BYTES = st.none() | st.binary(max_size=64)
# What is called as a secret is withheld, which has tests of its own.
_NAMES = st.text(st.characters(codec="utf-8"), max_size=8).filter(lambda name: not is_secret_name(name))


@given(
    _BYTES,
    st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=64).map(str.encode),
    st.lists(st.tuples(_NAMES, _BYTES), max_size=4),
)
def test_the_original_bytes_come_back_from_a_letter(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    letter = _letter(_reject(key, value, tuple(headers), EVENTS, parsed=False))
    assert (_bytes(letter["key"]), _bytes(letter["value"])) == (key, value)
    assert [(name, _bytes(held)) for name, held in letter["headers"]] == headers
    assert letter["value_sha256"] == (None if value is None else sha256(value).hexdigest())
    assert letter["value_bytes"] == (None if value is None else len(value))
    assert (letter["withheld"], letter["truncated"]) == (False, False)


def test_an_unknown_tenant_is_null() -> None:
    assert _letter(_reject(client_id=""))["client_id"] is None


@pytest.mark.parametrize(
    ("key", "value", "topic", "parsed", "withheld"),
    [
        (b"af-10::secret:shop:s", b"{}", RESOURCES, True, True),
        (b"secret:shop:s", b"{}", RESOURCES, True, True),
        (b"Secret:shop:s", b"{}", RESOURCES, True, True),
        (b"af-10::SECRET:shop:s", b"{}", RESOURCES, True, True),
        (b"af-10|secret:shop:s", b"{}", RESOURCES, True, True),
        (b"af-10::secret", b"{}", RESOURCES, True, True),
        (b"af-10::secret:shop:s", b"{}", EVENTS, True, True),
        (b"secret:\xff", b"{}", RESOURCES, True, True),
        (b"af-10::secretstore:shop:s", b"{}", RESOURCES, True, False),
        (b"af-10::pod:shop:secret", b"{}", RESOURCES, True, False),
        (b"af-10::pod:secret:p", b"{}", RESOURCES, True, False),
        (b"k", b'{"kind":"Secret"}', RESOURCES, True, True),
        (b"k", b'{"kind" : "secret"', EVENTS, False, True),
        (b"k", b'{"kind":"SecretStore"}', EVENTS, True, True),
        (b"k", b'{"kind"\n:\t"SECRET","data":{}}', EVENTS, True, True),
        (b"k", b'{"items":[{"kind":"SecretList"}]}', RESOURCES, True, True),
        (None, b'{"kind":"Secret"}', "x", True, True),
        (b"k", b'{"kind":"Pod","name":"secret"}', RESOURCES, True, False),
        (b"k", b"{not json", RESOURCES, False, True),
        (b"k", b"{not json", TOPOLOGY, False, True),
        (b"k", b"{not json", "af-10.state.k8s.resource", False, True),
        (b"k", b"{not json", RESOURCES, True, True),
        (b"k", b"{}", RESOURCES, False, True),
        (b"k", b"", RESOURCES, False, False),
        (b"k", b'{"op":7,"data":{"password":"aHVudGVy"', RESOURCES, True, True),
        (b"k", b'{"op":7,"data":{}}x', TOPOLOGY, True, True),
        (b"k", b'{"op":7,"name":"\xff"}', RESOURCES, True, True),
        (b"k", b'{"op":7,"name":"\\ud800"}', "af-10.state.k8s.resource", True, True),
        (b"k", b"{not json", EVENTS, False, False),
        (b"k", b"{not json", EVENTS, True, False),
        (b"k", b"{}", RESOURCES, True, False),
        (b"k", b'[null,1,"secret",{"name":"kind","kind":["Secret"],"a":{"kind":null}}]', RESOURCES, True, False),
    ],
)
def test_a_value_is_withheld_where_it_is_or_may_be_a_secret(
    key: bytes | None, value: bytes, topic: str, parsed: bool, withheld: bool
) -> None:
    reject = _reject(key, value, topic=topic, parsed=parsed)
    letter = _letter(reject)
    assert letter_of(reject).withheld is withheld
    assert (letter["withheld"], _bytes(letter["value"])) == (withheld, None if withheld else value)
    assert (letter["value_bytes"], letter["value_sha256"]) == (len(value), sha256(value).hexdigest())


@pytest.mark.parametrize("topic", [RESOURCES, EVENTS, "x"])
@pytest.mark.parametrize(
    "value",
    [
        rb'{"kind":"\u0053ecret","op":7}',
        rb'{"kind":"\u0073ECRET","op":7}',
        rb'{"k\u0069nd":"Secret","op":7}',
        rb'{"k\u0069nd":"secretList","op":7}',
        rb'{"status":{"held":[1,[{"k\u0069nd":"Secret"}]]}}',
        rb'[{"a":{"kind":"\u0053ecret"}}]',
        rb'{"kind":"Pod","held":{"kind":"\u0053ecret"}}',
    ],
)
def test_a_secret_is_known_however_deep_it_lies_and_its_letters_are_escaped(value: bytes, topic: str) -> None:
    assert letter_of(_reject(b"k", value, topic=topic)).withheld
    assert not letter_of(
        _reject(b"k", value.replace(b"0053", b"0054").replace(b"0073", b"0074").replace(b"ecret", b"oken"), topic=topic)
    ).withheld


@pytest.mark.parametrize("value", [rb'{"op":7,"kind":"\u0053ecret"}', b'{"op":7,"data":{"password":"aHVudGVy"', b'{"op":7}x'])
def test_a_value_whose_first_fields_were_at_fault_is_withheld_for_what_follows(value: bytes) -> None:
    record = kafka_record(RESOURCES, value)
    fault = decode_record(record).fault
    assert fault is not None
    assert letter_of(Reject(record, "af-10", Step.DECODE, fault.reason, fault.detail, fault.parsed)).withheld


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"secret:shop:s", b'["hunter2hunter2hunter2"]'),
        (b"k", b'"hunter2hunter2hunter2'),
        (b"k", b'{"kind":"Secret","p":"hunter2hunter2"}'),
    ],
)
def test_a_withheld_value_appears_nowhere_in_the_letter(key: bytes, value: bytes) -> None:
    encoded = encode_deadletter(_reject(key, value))
    assert b"hunter2" not in encoded
    assert not [begin for begin in range(3) if b64encode(b"hunter2hunter2"[begin : begin + 9]) in encoded]


def test_a_tombstone_has_nothing_to_withhold() -> None:
    letter = _letter(_reject(b"secret:shop:s", None))
    assert [letter[name] for name in ("value", "withheld", "value_bytes", "value_sha256")] == [None, False, None, None]


@pytest.mark.parametrize(("more", "truncated"), [(0, False), (1, True)])
def test_a_value_beyond_the_topics_limit_is_truncated_and_can_be_proven(more: int, truncated: bool) -> None:
    value = bytes(reversed(range(64, 96))) * (DEADLETTER_VALUE_BYTES // 32) + b"x" * more
    letter = _letter(_reject(value=value, topic=EVENTS, parsed=False))
    assert _bytes(letter["value"]) == value[:DEADLETTER_VALUE_BYTES]
    assert letter["truncated"] is truncated
    assert (letter["value_bytes"], letter["value_sha256"]) == (len(value), sha256(value).hexdigest())


@pytest.mark.parametrize(("size", "truncated"), [(512 * _KIB, False), (512 * _KIB + 1, True)])
def test_a_key_of_half_a_mebibyte_is_kept_and_a_larger_one_is_cut(size: int, truncated: bool) -> None:
    letter = _letter(_reject(key=b"k" * size))
    assert _bytes(letter["key"]) == b"k" * (512 * _KIB)
    assert letter["truncated"] is truncated


@pytest.mark.parametrize(
    ("fitting", "name", "held"),
    [
        (1, "h" * (512 * _KIB - 8), None),
        (1, "hh", b"x" * (256 * _KIB - 5)),
        (2, "hh", b"x" * (128 * _KIB - 5)),
        (32 * _KIB, "h" * 8, b""),
        (32 * _KIB, "h" * 8, None),
    ],
)
def test_headers_are_kept_whole_within_their_budget_and_left_out_beyond(fitting: int, name: str, held: bytes | None) -> None:
    for headers in (((name, held),) * fitting, (*((name, held),) * (fitting - 1), (f"{name}h", held))):
        kept = len(headers[-1][0]) == len(name)
        letter = _letter(_reject(headers=headers))
        assert [(one, _bytes(text)) for one, text in letter["headers"]] == (list(headers) if kept else [])
        assert (letter["truncated"], letter["withheld"], letter["value"]) == (not kept, False, "e30=")


_LARGEST = b"v" * DEADLETTER_VALUE_BYTES


@pytest.mark.parametrize("value", [_LARGEST, _LARGEST * 2])
@pytest.mark.parametrize(
    "headers",
    [
        (("hh", b"x" * (256 * _KIB - 5)),),
        (("a", b""),) * 500_000,
        (("a", None),) * 58_000,
        (("\0" * (512 * _KIB - 8), None),),
        (("\N{GRINNING FACE}" * (512 * _KIB - 8), None),),
    ],
    ids=["one", "countless", "empty", "escaped", "wide"],
)
def test_a_letter_and_its_key_always_fit_a_message_of_the_topic(headers: _Headers, value: bytes) -> None:
    key = b"k" * (512 * _KIB)
    encoded = encode_deadletter(_reject(key, value, headers, EVENTS, parsed=False))
    letter = msgspec.json.decode(encoded)
    held = _bytes(letter["value"])
    assert held is not None
    assert len(encoded) + len(key) <= DEADLETTER_MESSAGE_BYTES
    assert value.startswith(held)
    assert len(held) > 8 * _KIB * _KIB
    assert (letter["truncated"], letter["value_bytes"]) == (len(held) < len(value) or len(letter["headers"]) < len(headers), len(value))
