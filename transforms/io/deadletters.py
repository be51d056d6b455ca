"""Dead letters: rejects as messages on one topic, with the original bytes and coordinates, never with a secret."""

import re
from base64 import b64encode
from hashlib import sha256
from typing import Any, Final

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka_target import KafkaTarget
from transforms.model.limits import DEADLETTER_MESSAGE_BYTES, DEADLETTER_VALUE_BYTES
from transforms.records.rejects import Reject

DEADLETTER_VERSION: Final = 1
_FLUSH_S: Final = 60.0
_KEY_BYTES: Final = 512 * 1024
_HEADER_BYTES: Final = 512 * 1024
_MESSAGE_OVERHEAD_BYTES: Final = 4096
_SECRET_KEY: Final = re.compile(rb"(^|::|\|)secret(:|$)", re.IGNORECASE)
_SECRET_BODY: Final = re.compile(rb'"kind"\s*:\s*"secret', re.IGNORECASE)
_STATE_PREFIX: Final = "state."

Headers = tuple[tuple[str, bytes | None], ...]


def is_withheld(reject: Reject) -> bool:
    """Whether the value must not leave Kafka: it is or may be a Secret, or nothing could look into it."""
    record = reject.record
    value = record.value or b""
    if _SECRET_KEY.search(record.key or b"") or _SECRET_BODY.search(value):
        return True
    try:
        body = msgspec.json.decode(value) if reject.parsed else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    # Validation stops at the first wrong field: that a value was parsed is only sure once all of it is.
    return _STATE_PREFIX in record.topic and bool(value) if body is None else _says_secret(body)


def _says_secret(body: Any) -> bool:
    """True where the body or anything in it is of a kind called Secret, however its letters are escaped."""
    if isinstance(body, dict):
        kind = body.get("kind")
        return (isinstance(kind, str) and kind.lower().startswith("secret")) or any(map(_says_secret, body.values()))
    return isinstance(body, list) and any(map(_says_secret, body))


def encode_deadletter(reject: Reject) -> bytes:
    """The reject as JSON, bytes in base64, within what one message of the topic may hold.

    A withheld or truncated value leaves its length and SHA-256, so that the original can be found and proven by
    its coordinates.
    """
    record = reject.record
    key = record.key and record.key[:_KEY_BYTES]
    headers = record.headers if sum(len(name) + 2 * len(held or b"") + 8 for name, held in record.headers) <= _HEADER_BYTES else ()
    value = None if record.value is None or is_withheld(reject) else record.value[:DEADLETTER_VALUE_BYTES]
    letter = msgspec.json.encode(_letter(reject, key, headers, value))
    over = len(letter) + len(key or b"") + _MESSAGE_OVERHEAD_BYTES - DEADLETTER_MESSAGE_BYTES
    if over > 0 and value is not None:
        letter = msgspec.json.encode(_letter(reject, key, headers, value[: max(0, len(value) - over)]))
    return letter


def _letter(reject: Reject, key: bytes | None, headers: Headers, value: bytes | None) -> dict[str, Any]:
    record = reject.record
    held = record.value
    return {
        "version": DEADLETTER_VERSION,
        "reason": reject.reason,
        "detail": reject.detail,
        "step": reject.step,
        "client_id": reject.client_id or None,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "key": _base64(key),
        "headers": [[name, _base64(text)] for name, text in headers],
        "value": _base64(value),
        "withheld": held is not None and value is None,
        "truncated": (value is not None and value != held) or key != record.key or len(headers) < len(record.headers),
        "value_bytes": None if held is None else len(held),
        "value_sha256": None if held is None else sha256(held).hexdigest(),
    }


def _base64(held: bytes | None) -> str | None:
    return None if held is None else b64encode(held).decode()


class DeadLetterWriter:
    """Writes rejects to the dead-letter topic; what `flush` returned for, Kafka holds."""

    def __init__(self, target: KafkaTarget, topic: str) -> None:
        self._target = target
        self._topic = topic
        self._failed: str | None = None
        self._producer = Producer(
            {
                **target.client_config(),
                "enable.idempotence": True,
                "compression.type": "zstd",
                "message.max.bytes": DEADLETTER_MESSAGE_BYTES,
                "delivery.timeout.ms": int(_FLUSH_S * 1000),
                "log_level": 0,
                "error_cb": lambda _error: None,
            }
        )

    def ensure_topic(self) -> None:
        """Make the topic where it is missing, able to hold the largest reject; safe to repeat."""
        config = {"max.message.bytes": str(DEADLETTER_MESSAGE_BYTES), "cleanup.policy": "delete"}
        admin = AdminClient({**self._target.client_config(), "log_level": 0, "error_cb": lambda _error: None})
        made = admin.create_topics([NewTopic(self._topic, num_partitions=1, config=config)], operation_timeout=15)
        try:
            made[self._topic].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise self._fault(error.args[0].str()) from error

    def send(self, reject: Reject) -> None:
        """Queue one reject."""
        key = reject.record.key and reject.record.key[:_KEY_BYTES]
        letter = encode_deadletter(reject)
        while True:
            try:
                self._producer.produce(self._topic, value=letter, key=key, on_delivery=self._delivered)
                break
            except BufferError:
                self._producer.poll(1.0)
            except KafkaException as error:
                raise self._fault(error.args[0].str()) from error
        self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed = error.str()

    def flush(self) -> None:
        """Return when every queued reject is held by Kafka; InfrastructureFault when one is not."""
        left = self._producer.flush(_FLUSH_S)
        if self._failed or left:
            raise self._fault(self._failed or f"{left} rejects undelivered after {_FLUSH_S:.0f} s")

    def _fault(self, said: str) -> InfrastructureFault:
        return InfrastructureFault(
            f"The dead-letter topic {self._topic} at {self._target.brokers} cannot be written ({said}); nothing after the last "
            "committed offsets counts as done: make it writable for this user, then run again."
        )
