"""What an agent hands to Kafka: held while Kafka is away, never more than fits, nothing after the end."""

import time

import pytest

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.producing import OrderedProducer, Receipts
from transforms.io.kafka.target import KafkaTarget

# Nobody listens there.
AWAY = KafkaTarget("127.0.0.1:1", "")


def producer(stop_after_s: float = 0.3, **overrides: object) -> tuple[OrderedProducer, list[str]]:
    faults: list[str] = []
    until = time.monotonic() + stop_after_s
    made = OrderedProducer(
        AWAY, "test", lambda _topic, _size, fault, _broker: faults.append(fault), lambda: time.monotonic() > until, overrides
    )
    return made, faults


def test_records_wait_for_a_kafka_that_is_away_and_are_told_as_left() -> None:
    made, faults = producer()
    receipts = Receipts()
    made.write("t", b"k", b"v", receipts)
    assert made.time_ms("t") is None
    assert made.drain(0.2) == 1
    assert not receipts.wait(lambda: True)
    assert not faults
    made.close()


def test_a_full_queue_makes_the_writer_wait_until_it_is_told_to_stop() -> None:
    made, _ = producer(0.5, **{"queue.buffering.max.messages": 10})
    began = time.monotonic()
    for _ in range(12):
        made.write("t", b"k", b"v")
    assert 0.3 < time.monotonic() - began < 10
    assert made.drain(0.1) == 10
    made.close()


def test_nothing_is_taken_after_the_end_and_what_is_discarded_is_not_sent() -> None:
    made, faults = producer()
    made.write("t", b"k", b"v")
    made.close()
    made.write("t", b"k", b"later")
    made.discard()
    made.drain(1)
    assert len(faults) == 1
    assert "urge" in faults[0]


def test_who_may_not_write_for_a_moment_never_writes_again() -> None:
    """What was not taken meanwhile is missing: a report that goes on would end without it."""
    may_write = iter([True, False, True])
    made = OrderedProducer(AWAY, "test", lambda *_: None, lambda: True, may_write=lambda: next(may_write))
    for key in (b"before", b"refused", b"after"):
        made.write("t", key, b"v")
    assert made.is_fenced
    assert made.drain(0.1) == 1
    made.close()


def test_a_producer_that_can_never_send_again_says_so() -> None:
    made, _ = producer()
    made.fatal = "fenced"
    with pytest.raises(InfrastructureFault, match="fenced"):
        made.write("t", b"k", b"v")
    made.close()


def test_receipts_are_whole_only_if_every_record_was_acknowledged() -> None:
    receipts = Receipts()
    assert receipts.wait(lambda: False)
    receipts.sent()
    receipts.sent()
    receipts.answered("")
    receipts.answered("too large")
    assert not receipts.wait(lambda: False)
    assert receipts.failed == "too large"
