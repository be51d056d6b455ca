"""Whether rejects can be kept: a dead-letter topic that this user may write, or may make.

Writing is judged by the rights and replicas that Kafka tells, by which the broker itself decides. Nothing is produced: a
transaction that is aborted would leave its marker in the topic, and would need a right that the job does not.
"""

from collections.abc import Iterator
from typing import Final

from runners.doctor.humanize import spoken_bytes
from runners.doctor.topics import IMPOSSIBLE, MISSING, Settings, alter_topic, leaderless
from runners.doctor.verdict import Check, failed, ok, skipped, warning
from transforms.io.answers import ProbeError
from transforms.io.kafka.probe import TopicDescription
from transforms.model.limits import DEADLETTER_MESSAGE_BYTES

LETTERS: Final = "dead letters"
_SIZE: Final = f"{LETTERS} size"
_CLEANUP: Final = f"{LETTERS} cleanup"
NAMES: Final = (LETTERS, _SIZE, _CLEANUP)


def judge_deadletters(
    topic: str, told: TopicDescription | ProbeError, settings: Settings | ProbeError, making: ProbeError | None
) -> list[Check]:
    """making: what Kafka says to making the topic as the job would; None where it would."""
    check = _judge_writing(topic, told, settings, making)
    if isinstance(told, ProbeError):
        return [check, *(skipped(name, "the topic is not there to be asked") for name in NAMES[1:])]
    if isinstance(settings, ProbeError):
        return [check, *(skipped(name, f"Kafka does not tell this user ({settings.said})") for name in NAMES[1:])]
    return [check, *_judge_settings(topic, settings)]


def _judge_writing(topic: str, told: TopicDescription | ProbeError, settings: Settings | ProbeError, making: ProbeError | None) -> Check:
    if isinstance(told, ProbeError):
        return _judge_making(topic, told, making)
    if fault := leaderless(LETTERS, told):
        return fault
    if told.operations is not None and "WRITE" not in told.operations:
        return failed(LETTERS, f"this user may not write {topic}", f"Grant WRITE on {topic}.")
    needed = 1 if isinstance(settings, ProbeError) else int(settings.get("min.insync.replicas", "1"))
    if any(one.in_sync < needed for one in told.partitions):
        return failed(
            LETTERS,
            f"{topic} has fewer replicas in sync than the {needed} that min.insync.replicas demands, so it takes no message",
            "Start the brokers that hold its replicas.",
        )
    return ok(LETTERS, f"{topic} exists" + (", may be written" if told.operations is not None else ""))


def _judge_making(topic: str, told: ProbeError, making: ProbeError | None) -> Check:
    if told.code == IMPOSSIBLE:
        return failed(LETTERS, f"no topic can have the name {topic}", "Fix --deadletter_topic.")
    if told.code != MISSING:
        return failed(LETTERS, f"Kafka did not describe {topic} ({told.said})", f"Grant WRITE and DESCRIBE on {topic}.")
    if making is None:
        return ok(LETTERS, f"{topic} does not exist yet; the job may make it")
    return failed(LETTERS, f"{topic} does not exist, and Kafka would not make it for this user ({making.said})", _make(topic))


def _make(topic: str) -> str:
    config = f"--config max.message.bytes={DEADLETTER_MESSAGE_BYTES} --config cleanup.policy=delete"
    return f"Grant CREATE on it, or make it: kafka-topics.sh --bootstrap-server $KAFKA_BROKERS --create --topic {topic} {config}"


def _judge_settings(topic: str, settings: Settings) -> Iterator[Check]:
    most = int(settings.get("max.message.bytes", "0"))
    found = f"max.message.bytes is {spoken_bytes(most)}"
    if most >= DEADLETTER_MESSAGE_BYTES:
        yield ok(_SIZE, found)
    else:
        why = f"a reject may take {spoken_bytes(DEADLETTER_MESSAGE_BYTES)}, and one that does not fit stops the job"
        yield warning(_SIZE, f"{found}: {why}", alter_topic(topic, f"max.message.bytes={DEADLETTER_MESSAGE_BYTES}"))
    policy = settings.get("cleanup.policy", "")
    if policy == "delete":
        yield ok(_CLEANUP, f"cleanup.policy is {policy}")
    else:
        why = "letters that share a key are thinned out, and one without a key is refused, which stops the job"
        yield warning(_CLEANUP, f"cleanup.policy is {policy}: {why}", alter_topic(topic, "cleanup.policy=delete"))
