"""A Kafka that is away is waited for as long as --kafka_retry_s says, and its fault names the likely cause."""

import time

import pytest

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import KafkaOffsets, kafka_fault
from transforms.io.kafka.target import KafkaTarget


def test_one_request_takes_no_longer_than_the_patience_in_all() -> None:
    offsets = KafkaOffsets(KafkaTarget("127.0.0.1:1", "g", retry_s=1.5))
    began = time.monotonic()
    try:
        with pytest.raises(InfrastructureFault, match="cannot be used"):
            offsets.topics()
    finally:
        offsets.close()

    # A request alone took 15 s.
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("protocol", "said", "likely"),
    [
        ("PLAINTEXT", "Local: Broker transport failure", "does this listener speak SASL or TLS?"),
        ("PLAINTEXT", "Local: Timed out", "does this listener speak SASL or TLS?"),
        ("SASL_PLAINTEXT", "Local: All broker connections are down; brokers are down", "speak TLS, or no login at all?"),
        ("SASL_SSL", "Local: Broker transport failure", "speak another security protocol?"),
    ],
)
def test_a_fault_that_says_only_that_nobody_answered_names_the_likely_cause(protocol: str, said: str, likely: str) -> None:
    assert likely in kafka_fault(KafkaTarget("k:1", "g", protocol), said).sentence


def test_a_fault_that_says_what_is_wrong_is_let_be() -> None:
    assert kafka_fault(KafkaTarget("k:1", "g"), "Broker: Group authorization failed").sentence.endswith("then run again.")
