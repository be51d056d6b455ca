"""A Java stack trace of Kafka's is a fault in one sentence; any other stays what it is."""

import pytest

from transforms.io.kafka.connector_faults import connector_fault
from transforms.io.kafka.target import KafkaTarget

TARGET = KafkaTarget("k:9092", "graph-build")
TRACE = """java.lang.RuntimeException: org.apache.beam.sdk.util.UserCodeException: {outer}
\tat org.apache.beam.sdk.io.kafka.KafkaUnboundedSource.split(KafkaUnboundedSource.java:67)
\tat java.base/java.lang.Thread.run(Thread.java:840)
Caused by: {cause}

"""


@pytest.mark.parametrize(
    ("outer", "cause", "said"),
    [
        (
            "java.io.IOException",
            "org.apache.kafka.common.errors.TimeoutException: Timeout expired while fetching topic metadata",
            "Timeout expired while fetching topic metadata",
        ),
        (
            "org.apache.kafka.common.errors.TimeoutException: later",
            "org.apache.kafka.common.errors.DisconnectException",
            "DisconnectException",
        ),
        ("x", "org.apache.kafka.common.errors.TopicAuthorizationException: Not authorized: [events]", "Not authorized: [events]"),
    ],
)
def test_what_kafka_says_through_the_java_side_is_a_fault_in_one_sentence(outer: str, cause: str, said: str) -> None:
    fault = connector_fault(TARGET, RuntimeError(TRACE.format(outer=outer, cause=cause)))

    assert fault is not None
    assert fault.sentence.startswith(f"Kafka at k:9092 cannot be used ({said}); nothing after the last committed offsets")
    assert "\n" not in fault.sentence


@pytest.mark.parametrize(
    "cause", ["java.lang.NullPointerException: x", "org.apache.kafka.common.errors.SerializationException: Size of data is not 8"]
)
def test_a_defect_of_the_java_side_is_no_fault_of_kafkas(cause: str) -> None:
    assert connector_fault(TARGET, RuntimeError(TRACE.format(outer="java.io.IOException", cause=cause))) is None
