"""Records into Kafka in order, each acknowledged by all replicas before it counts.

One idempotent producer keeps the order of each key over retries. It holds a few megabytes and makes whoever writes wait, so an outage of
Kafka costs time and no record. The broker's time of what it acknowledged is the only clock that an agent has.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from transforms.io.faults import InfrastructureFault

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message

    from transforms.io.kafka.target import KafkaTarget

_HELD_KIB: Final = 8 * 1024
_HELD_RECORDS: Final = 10_000
_POLL_S: Final = 0.1
_CREATE_TIME: Final = 1


class Receipts:
    """What became of the records that one writer sent. The writer sends from one thread; answers come from another."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = 0
        self.failed = ""

    def sent(self) -> None:
        with self._changed:
            self._waiting += 1

    def answered(self, fault: str) -> None:
        with self._changed:
            self._waiting -= 1
            self.failed = self.failed or fault
            self._changed.notify_all()

    def wait(self, stopped: Callable[[], bool]) -> bool:
        """Wait until all are answered; True if all were acknowledged, False if one was refused or the wait was stopped."""
        with self._changed:
            while self._waiting and not stopped():
                self._changed.wait(_POLL_S)
            return not self._waiting and not self.failed


class RecordSink(Protocol):
    """Where an agent's records go."""

    def write(self, topic: str, key: bytes, value: bytes | None, receipts: Receipts | None = None) -> None: ...

    def time_ms(self, topic: str) -> int | None:
        """The latest time that the broker gave a record of the topic; None before the first."""
        ...


class OrderedProducer:
    """A sink into Kafka. Safe to use from several threads; records of one key must come from one.

    told: called for each answer with (topic, bytes, fault, has_broker_time), fault "" for an acknowledged record.
    stopped: ends the wait for room. overrides: of librdkafka's settings, for logging in.
    may_write: asked before each record; once it says no, `is_fenced` is True and no record is taken ever after.
    """

    def __init__(
        self,
        target: "KafkaTarget",
        client_name: str,
        told: Callable[[str, int, str, bool], None],
        stopped: Callable[[], bool],
        overrides: dict[str, Any] | None = None,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        from confluent_kafka import Producer  # noqa: PLC0415 - a dry run does without

        settings = {
            "client.id": client_name,
            "acks": "all",
            "enable.idempotence": True,
            # Records wait for Kafka for as long as it takes: an outage must lose none.
            "message.timeout.ms": 0,
            "queue.buffering.max.kbytes": _HELD_KIB,
            "queue.buffering.max.messages": _HELD_RECORDS,
            "linger.ms": 50,
            "compression.type": "zstd",
            "partitioner": "murmur2_random",
            "reconnect.backoff.max.ms": 3000,
            "socket.keepalive.enable": True,
            "error_cb": self._on_error,
            **(overrides or {}),
        }
        self._producer = target.open(Producer, settings)
        self._told = told
        self._stopped = stopped
        self._may_write = may_write
        self.is_fenced = False
        self._times: dict[str, int] = {}
        self.fatal = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="kafka", daemon=True)
        self._thread.start()

    def _on_error(self, error: "KafkaError") -> None:
        if error.fatal():
            self.fatal = error.str()

    def _poll(self) -> None:
        while not self._ended.is_set():
            self._producer.poll(_POLL_S)

    def write(self, topic: str, key: bytes, value: bytes | None, receipts: Receipts | None = None) -> None:
        """Hand a record over; waits while there is no room. InfrastructureFault where the producer can never send again.

        Once closed or fenced it takes nothing: a thread that waited for the API server meanwhile, or a process that was stopped, must not
        write beside its successor.
        """
        if self._ended.is_set() or self._fenced():
            return
        if receipts is not None:
            receipts.sent()

        def delivered(error: "KafkaError | None", message: "Message") -> None:
            self._answered(error, message, receipts)

        while True:
            if self.fatal:
                raise InfrastructureFault(f"Kafka takes no more records of this agent ({self.fatal}); it has to start anew.")
            try:
                self._producer.produce(topic, value, key, on_delivery=delivered)
            except BufferError:
                if self._stopped():
                    return
                self._ended.wait(_POLL_S)
            else:
                return

    def _fenced(self) -> bool:
        if not self.is_fenced and not self._may_write():
            self.is_fenced = True
        return self.is_fenced

    def _answered(self, error: "KafkaError | None", message: "Message", receipts: Receipts | None) -> None:
        kind, at_ms = message.timestamp()
        topic, fault = str(message.topic()), error.str() if error is not None else ""
        if error is None:
            self._times[topic] = max(self._times.get(topic, 0), at_ms)
        self._told(topic, len(message.value() or b"") + len(message.key() or b""), fault, kind != _CREATE_TIME)
        if receipts is not None:
            receipts.answered(fault)

    def time_ms(self, topic: str) -> int | None:
        return self._times.get(topic)

    def drain(self, seconds: float) -> int:
        """Wait for what was handed over; how many records are left without an answer."""
        left: int = self._producer.flush(seconds)
        return left

    def discard(self) -> None:
        """Forget what is not sent yet: somebody else tells it."""
        self._producer.purge(in_queue=True, in_flight=False, blocking=False)

    def close(self) -> None:
        """Take nothing more. What was handed over and is not drained may still be sent."""
        self._ended.set()
        self._thread.join(1.0)
