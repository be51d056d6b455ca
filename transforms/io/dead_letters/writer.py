"""Dead letters: rejects as messages on one topic, with the original bytes and coordinates, never with a secret."""

from typing import Final

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from transforms.io.dead_letters.gaps import gap_letter
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import OffsetGap
from transforms.io.kafka.target import KafkaTarget
from transforms.io.unforeseen import unforeseen
from transforms.model.limits import DEADLETTER_KEY_BYTES, DEADLETTER_MESSAGE_BYTES, DEADLETTER_VALUE_BYTES
from transforms.records.dead_letters.connect_headers import connect_headers
from transforms.records.dead_letters.letters import Letter, Wanted, encode_letter, replay_mark
from transforms.records.dead_letters.redacted import Kept, kept_headers, kept_key, kept_value
from transforms.records.record import Headers, KafkaRecord, sha256_of
from transforms.records.redaction.text import redact_text
from transforms.records.rejects import Reject, Step
from transforms.records.topic_settings import DEADLETTER_SETTINGS

_FLUSH_S: Final = 60.0
_LOOK_S: Final = 15.0
_HEADER_BYTES: Final = 512 * 1024
_MESSAGE_OVERHEAD_BYTES: Final = 4096
# As librdkafka writes it: the key decides.
_ANY_PARTITION: Final = -1


def encode_deadletter(reject: Reject) -> bytes:
    """The reject as JSON, bytes in base64, within what one message of the topic may hold."""
    return _encoded(letter_of(reject), reject)


def _encoded(letter: Letter, reject: Reject) -> bytes:
    """The reject's letter, with less of its value where it would be too large for a message."""
    encoded = encode_letter(letter)
    over = len(encoded) + len(letter.key or b"") + _MESSAGE_OVERHEAD_BYTES - DEADLETTER_MESSAGE_BYTES
    if over > 0 and letter.value is not None:
        encoded = encode_letter(letter_of(reject, max(0, len(letter.value) - over)))
    return encoded


def letter_of(reject: Reject, most: int = DEADLETTER_VALUE_BYTES) -> Letter:
    """The reject as a letter with at most so many bytes of its value, and no secret.

    A value that was withheld, redacted or truncated leaves its original length and SHA-256, so that the original can be
    found and proven by its coordinates.
    """
    try:
        return _whole(reject, most)
    except Exception as error:  # noqa: BLE001 - the net: a letter without what could not be looked into is better than none
        unforeseen(error, Step.DEAD_LETTER, reject.record, reject.client_id)
        bare = msgspec.structs.replace(reject, detail="its letter could not be made; read the record from its topic")
        return _letter(bare, None, None, Kept(None, withheld=reject.record.value is not None), most)


def _whole(reject: Reject, most: int) -> Letter:
    record, original = reject.record, reject.record.original
    kept = kept_value(record, parsed=reject.parsed) if original is None else Kept(record.value, original.withheld)
    fits = sum(len(name) + 2 * len(held or b"") + 8 for name, held in record.headers) <= _HEADER_BYTES
    return _letter(reject, kept_key(_cut_key(record)), kept_headers(record.headers) if fits else None, kept, most)


def _cut_key(record: KafkaRecord) -> bytes | None:
    return record.key and record.key[:DEADLETTER_KEY_BYTES]


def _letter(reject: Reject, key: bytes | None, headers: Headers | None, kept: Kept, most: int) -> Letter:
    """headers: None where they are left out."""
    record = reject.record
    original, cut_key = record.original, _cut_key(record)
    is_cut = kept.value is not None and len(kept.value) > most
    fits = headers is not None
    is_redacted = kept.redacted or key != cut_key or (fits and headers != record.headers) or (original is not None and original.redacted)
    return Letter(
        reason=str(reject.reason),
        detail=redact_text(reject.detail),
        step=str(reject.step),
        client_id=reject.client_id or None,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp_ms,
        key=key,
        headers=headers or (),
        value=kept.value and kept.value[:most],
        withheld=kept.withheld,
        redacted=is_redacted,
        truncated=is_cut or cut_key != record.key or not fits,
        value_bytes=(None if record.value is None else len(record.value)) if original is None else original.size_bytes,
        value_sha256=sha256_of(record.value) if original is None else original.sha256,
    )


def deadletter_topic(name: str) -> NewTopic:
    """The topic as the job makes it, able to hold the largest reject."""
    return NewTopic(name, num_partitions=1, config=DEADLETTER_SETTINGS)


class DeadLetterWriter:
    """Writes rejects to the dead-letter topic; what `flush` returned for, Kafka holds.

    has_failed: it raised, and must not be used again: what it holds may never be delivered.
    """

    def __init__(self, target: KafkaTarget, topic: str) -> None:
        self._target = target
        self._topic = topic
        self._failed: str | None = None
        self.has_failed = False
        self._producer = target.open(
            Producer,
            {
                "enable.idempotence": True,
                "compression.type": "zstd",
                "message.max.bytes": DEADLETTER_MESSAGE_BYTES,
                "delivery.timeout.ms": int(_FLUSH_S * 1000),
            },
        )

    def ensure_topic(self) -> None:
        """Make the topic where it is missing, able to hold the largest reject; safe to repeat."""
        admin = self._target.open(AdminClient, {})
        made = admin.create_topics([deadletter_topic(self._topic)], operation_timeout=15)
        try:
            made[self._topic].result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return
            # Kafka judges the right to make topics before it looks whether this one is there.
            if error.args[0].code() != KafkaError.TOPIC_AUTHORIZATION_FAILED or not self._is_there(admin):
                raise self._fault(error.args[0].str()) from error

    def _is_there(self, admin: AdminClient) -> bool:
        try:
            return self._topic in admin.list_topics(timeout=_LOOK_S).topics
        except KafkaException as error:
            raise self._fault(error.args[0].str()) from error

    def send(self, reject: Reject) -> None:
        """Queue one reject."""
        letter = letter_of(reject)
        self._produce(_encoded(letter, reject), kept_key(_cut_key(reject.record)), connect_headers(letter))

    def _produce(self, encoded: bytes, key: bytes | None, headers: list[tuple[str, bytes]], partition: int = _ANY_PARTITION) -> None:
        while True:
            try:
                self._producer.produce(self._topic, encoded, key, partition, self._delivered, headers=headers)
                break
            except BufferError:
                self._producer.poll(1.0)
            except KafkaException as error:
                raise self._fault(error.args[0].str()) from error
        self._producer.poll(0)

    def send_gap(self, gap: OffsetGap) -> None:
        """Queue the record of offsets that Kafka deleted before they were taken in; nothing of them can be replayed."""
        letter = gap_letter(gap)
        self._produce(encode_letter(letter), None, connect_headers(letter))

    def send_mark(self, wanted: Wanted) -> None:
        """Queue the mark that a letter was replayed: in its partition, where it outlives it, and for no tool that counts rejects."""
        self._produce(encode_letter(replay_mark(wanted)), str(wanted.original).encode(), [], wanted.at.partition)

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed = error.str()

    def flush(self) -> None:
        """Return when every queued reject is held by Kafka; InfrastructureFault when one is not."""
        left = self._producer.flush(_FLUSH_S)
        if self._failed or left:
            raise self._fault(self._failed or f"{left} rejects undelivered after {_FLUSH_S:.0f} s")

    def _fault(self, said: str) -> InfrastructureFault:
        self.has_failed = True
        return InfrastructureFault(
            f"The dead-letter topic {self._topic} at {self._target.brokers} cannot be written ({said}); nothing after the last "
            "committed offsets counts as done: make it writable for this user, then run again."
        )
