"""A dead letter holds the original bytes and coordinates, and never the value of what is or may be a Secret."""

from base64 import b64decode
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.wire import AT_MS, EVENTS, RESOURCES, TOPOLOGY
from transforms.io.deadletters import encode_deadletter, is_withheld
from transforms.model.limits import DEADLETTER_VALUE_BYTES
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject, Step

_KIB = 1024
_Headers = tuple[tuple[str, bytes | None], ...]


def _reject(
    key: bytes | None = b"af-10::pod:shop:p",
    value: bytes | None = b"v",
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
        "value": "dg==",
        "withheld": False,
        "truncated": False,
        "value_bytes": 1,
        "value_sha256": "4c94485e0c21ae6c41ce1dfe7b6bfaceea5ab68e40a2476f50208e526f506080",
    }


_BYTES = st.none() | st.binary(max_size=64)


@given(_BYTES, _BYTES, st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=8), _BYTES), max_size=4))
def test_the_original_bytes_come_back_from_a_letter(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    letter = _letter(_reject(key, value, tuple(headers), EVENTS))
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
        (b"af-10::secret:shop:s", b"v", RESOURCES, True, True),
        (b"secret:shop:s", b"v", RESOURCES, True, True),
        (b"Secret:shop:s", b"v", RESOURCES, True, True),
        (b"af-10::SECRET:shop:s", b"v", RESOURCES, True, True),
        (b"af-10|secret:shop:s", b"v", RESOURCES, True, True),
        (b"af-10::secret", b"v", RESOURCES, True, True),
        (b"af-10::secret:shop:s", b"v", EVENTS, True, True),
        (b"secret:\xff", b"v", RESOURCES, True, True),
        (b"af-10::secretstore:shop:s", b"v", RESOURCES, True, False),
        (b"af-10::pod:shop:secret", b"v", RESOURCES, True, False),
        (b"af-10::pod:secret:p", b"v", RESOURCES, True, False),
        (b"k", b'{"kind":"Secret"}', RESOURCES, True, True),
        (b"k", b'{"kind" : "secret"', RESOURCES, True, True),
        (b"k", b'{"kind"\n:\t"SECRET","data":{}}', EVENTS, True, True),
        (b"k", b'{"items":[{"kind":"SecretList"}]}', RESOURCES, True, True),
        (None, b'{"kind":"Secret"}', "x", True, True),
        (b"k", b'{"kind":"Pod","name":"secret"}', RESOURCES, True, False),
        (b"k", b"{not json", RESOURCES, False, True),
        (b"k", b"{not json", TOPOLOGY, False, True),
        (b"k", b"{not json", "af-10.state.k8s.resource", False, True),
        (b"k", b"{not json", EVENTS, False, False),
        (b"k", b"{}", RESOURCES, True, False),
    ],
)
def test_a_value_is_withheld_where_it_is_or_may_be_a_secret(
    key: bytes | None, value: bytes, topic: str, parsed: bool, withheld: bool
) -> None:
    reject = _reject(key, value, topic=topic, parsed=parsed)
    letter = _letter(reject)
    assert is_withheld(reject) is withheld
    assert (letter["withheld"], _bytes(letter["value"])) == (withheld, None if withheld else value)
    assert (letter["value_bytes"], letter["value_sha256"]) == (len(value), sha256(value).hexdigest())


def test_a_withheld_value_appears_nowhere_in_the_letter() -> None:
    encoded = encode_deadletter(_reject(b"secret:shop:s", b"hunter2hunter2hunter2"))
    assert b"hunter2" not in encoded
    assert b"aHVudGVy" not in encoded


def test_a_tombstone_has_nothing_to_withhold() -> None:
    letter = _letter(_reject(b"secret:shop:s", None))
    assert [letter[name] for name in ("value", "withheld", "value_bytes", "value_sha256")] == [None, False, None, None]


@pytest.mark.parametrize(("more", "truncated"), [(0, False), (1, True)])
def test_a_value_beyond_the_topics_limit_is_truncated_and_can_be_proven(more: int, truncated: bool) -> None:
    value = bytes(range(256)) * (DEADLETTER_VALUE_BYTES // 256) + b"x" * more
    letter = _letter(_reject(value=value))
    assert _bytes(letter["value"]) == value[:DEADLETTER_VALUE_BYTES]
    assert letter["truncated"] is truncated
    assert (letter["value_bytes"], letter["value_sha256"]) == (len(value), sha256(value).hexdigest())


@pytest.mark.parametrize(("size", "truncated"), [(512 * _KIB, False), (512 * _KIB + 1, True)])
def test_a_key_and_headers_of_half_a_mebibyte_are_kept_and_larger_ones_are_cut(size: int, truncated: bool) -> None:
    letter = _letter(_reject(key=b"k" * size))
    assert _bytes(letter["key"]) == b"k" * (512 * _KIB)
    assert letter["truncated"] is truncated
    letter = _letter(_reject(headers=(("h", b"x" * (size - 1)),)))
    assert [len(_bytes(held) or b"") for _, held in letter["headers"]] == ([] if truncated else [size - 1])
    assert letter["truncated"] is truncated
