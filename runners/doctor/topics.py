"""Whether the topics are there, may be read and are kept as the job needs them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from runners.doctor.humanize import spoken_bytes, spoken_ms
from runners.doctor.verdict import Check, failed, ok, skipped, warning
from transforms.io.answers import ProbeError
from transforms.io.kafka.probe import TopicDescription
from transforms.model.limits import RECORD_BYTES
from transforms.records.tenancy.routes import route_of
from transforms.records.topic_names import TOPIC_NAMES, near_topic
from transforms.records.topic_settings import LOG_APPEND_TIME, topic_settings
from transforms.records.topics import TOPIC_OF_NAME, Topic

MISSING: Final = "UNKNOWN_TOPIC_OR_PART"
ANY_TOPIC: Final = "topics"
IMPOSSIBLE: Final = "TOPIC_EXCEPTION"
DOES_NOT_EXIST: Final = "it does not exist: the job leaves it out until it does"
DOES_NOT_EXIST_BUT_NAMED: Final = "it was named and does not exist: a run that ends fails, and one with --follow waits for it"
MAKE_ALL: Final = "Make those that you use with `python -m pipelines.topics create`; --verbose shows how to make each yourself."
REFUSED: Final = frozenset({"TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED"})
_DAY_MS: Final = 24 * 3600 * 1000
_SETTINGS: Final = ("cleanup", "timestamps", "size", "retention")

Settings = Mapping[str, str]


def names_of(topic: str) -> list[str]:
    """The names of all checks of a topic."""
    return [f"topic {topic}", *(f"topic {topic} {what}" for what in _SETTINGS)]


def judge_topic(
    name: str,
    told: TopicDescription | ProbeError,
    settings: Settings | ProbeError,
    patterns: tuple[str, ...] = (),
    *,
    must_exist: bool = False,
) -> list[Check]:
    """The topic itself, and its settings one by one.

    patterns: of topics that belong to one cluster each. must_exist: it was named by itself, and not with all of the contract.
    """
    check = judge_presence(name, told, patterns, must_exist=must_exist)
    if isinstance(told, ProbeError):
        return [check, *_skipped(name, "the topic is not there to be asked")]
    if isinstance(settings, ProbeError):
        why = f"Kafka does not tell this user ({settings.said}); the job needs no right to it, DESCRIBE_CONFIGS lets it be checked"
        return [check, *_skipped(name, why)]
    return [check, *_judge_settings(name, settings, declared(name, patterns))]


def judge_any(presence: Iterable[TopicDescription | ProbeError], names: Iterable[str] = ()) -> list[Check]:
    """failed where not one of the topics to read exists; nothing otherwise, or where Kafka does not say. names: of the topics."""
    told = list(presence)
    if not told or any(not isinstance(one, ProbeError) or one.code != MISSING for one in told):
        return []
    said = "none of the topics to read exists: a run that ends fails, and one with --follow waits"
    misspelt = [near_topic(name) for name in names]
    make = "Make them with `python -m pipelines.topics create`, or name others with --topics."
    return [failed(ANY_TOPIC, said, "Fix --topics." if misspelt and all(misspelt) else make)]


def _skipped(topic: str, why: str) -> list[Check]:
    return [skipped(name, why) for name in names_of(topic)[1:]]


def declared(name: str, patterns: tuple[str, ...] = ()) -> Topic | None:
    """The topic of the contract that it stands for; None where this version does not decode them."""
    return TOPIC_OF_NAME.get(route_of(name, patterns, TOPIC_NAMES).topic)


def judge_presence(name: str, told: TopicDescription | ProbeError, patterns: tuple[str, ...] = (), *, must_exist: bool = False) -> Check:
    """Whether the topic is there, whole, and readable for this user. must_exist: as in `judge_topic`."""
    named = f"topic {name}"
    if isinstance(told, ProbeError):
        return _judge_absence(name, told, patterns, must_exist=must_exist)
    if fault := leaderless(named, told):
        return fault
    if told.operations is not None and "READ" not in told.operations:
        return failed(named, "this user may not read it", f"Grant READ on {name}.")
    if declared(name, patterns) is None:
        return warning(named, "this version does not decode it: its records count as undecoded", "Leave it out of --topics.")
    rights = "" if told.operations is None else ", readable"
    return ok(named, f"{_partitions(told)}{rights}")


def _judge_absence(name: str, told: ProbeError, patterns: tuple[str, ...], *, must_exist: bool) -> Check:
    named = f"topic {name}"
    near = near_topic(name) if declared(name, patterns) is None else ""
    if told.code == MISSING and near:
        judge = failed if must_exist else warning
        return judge(named, f"it does not exist, and this version would not decode it: did you mean {near}?", "Fix --topics.")
    if told.code == MISSING:
        if must_exist:
            return failed(
                named, DOES_NOT_EXIST_BUT_NAMED, f"Make it with `python -m pipelines.topics create`, or fix --topics: {make_topic(name)}"
            )
        remedy = f"Make it with `python -m pipelines.topics create --topics {name}`, or: {make_topic(name)}"
        return warning(named, DOES_NOT_EXIST, remedy)
    if told.code == IMPOSSIBLE:
        return failed(named, "no topic can have this name", "Fix --topics.")
    if told.code in REFUSED:
        return failed(
            named, "this user may not even know whether it exists, so the job would pass it over", f"Grant READ and DESCRIBE on {name}."
        )
    return failed(named, f"Kafka did not describe it ({told.said})", "See the broker's log, then ask again.")


def leaderless(named: str, told: TopicDescription) -> Check | None:
    """failed where a partition has no leader: nobody can read or write it."""
    without = [str(one.number) for one in told.partitions if not one.has_leader]
    if not without:
        return None
    return failed(named, f"no broker leads partition {', '.join(without)}", "Start the brokers that hold its replicas.")


def _partitions(told: TopicDescription) -> str:
    number = len(told.partitions)
    replicas = min((one.replicas for one in told.partitions), default=0)
    lagging = sum(1 for one in told.partitions if one.in_sync < one.replicas)
    behind = f", {lagging} with replicas behind" if lagging else ""
    return f"{number} partition{'' if number == 1 else 's'}, {replicas} replica{'' if replicas == 1 else 's'} each{behind}"


def make_topic(name: str, patterns: tuple[str, ...] = ()) -> str:
    """A command that makes the topic as the job wants it; partitions and replication are the operator's."""
    config = " ".join(f"--config {setting}={value}" for setting, value in topic_settings(declared(name, patterns)).items())
    return f"kafka-topics.sh --bootstrap-server $KAFKA_BROKERS --create --topic {name} {config}"


def alter_topic(name: str, setting: str) -> str:
    """A command that changes a topic's setting, `name=value`."""
    return f"kafka-configs.sh --bootstrap-server $KAFKA_BROKERS --alter --entity-type topics --entity-name {name} --add-config {setting}"


def _judge_settings(name: str, settings: Settings, topic: Topic | None) -> Iterator[Check]:
    if topic is None:
        yield from _skipped(name, "this version does not decode the topic")
        return
    yield _judge_cleanup(name, settings.get("cleanup.policy", ""), is_state=topic.state)
    yield _judge_timestamps(name, settings.get("message.timestamp.type", ""), is_state=topic.state)
    yield _judge_size(name, int(settings.get("max.message.bytes", "0")))
    yield _judge_tombstones(name, settings) if topic.state else _judge_retention(name, settings)


def _judge_cleanup(name: str, policy: str, *, is_state: bool) -> Check:
    named = f"topic {name} cleanup"
    found = f"cleanup.policy is {policy}"
    wanted = "compact" if is_state else "delete"
    if policy == wanted:
        return ok(named, found)
    if not is_state:
        why = "records that share a key are thinned out, and an event's key need not be its own"
    elif "compact" in policy:
        why = "the state of what does not change is deleted by age"
    else:
        why = "state is deleted by age, and the newest of each object is not all that is kept"
    return warning(named, f"{found}: {why}", alter_topic(name, f"cleanup.policy={wanted}"))


def _judge_timestamps(name: str, kind: str, *, is_state: bool) -> Check:
    named = f"topic {name} timestamps"
    found = f"message.timestamp.type is {kind}"
    if not is_state or kind == LOG_APPEND_TIME:
        return ok(named, found)
    why = "a record's version begins with the earlier of its body's time and its record timestamp, here a producer's clock"
    return warning(named, f"{found}: {why}", alter_topic(name, f"message.timestamp.type={LOG_APPEND_TIME}"))


def _judge_size(name: str, most: int) -> Check:
    named = f"topic {name} size"
    found = f"max.message.bytes is {spoken_bytes(most)}"
    if most >= RECORD_BYTES:
        return ok(named, found)
    why = f"objects of up to {spoken_bytes(RECORD_BYTES)} are taken in, but agents cannot send them"
    return warning(named, f"{found}: {why}", alter_topic(name, f"max.message.bytes={RECORD_BYTES}"))


def _judge_tombstones(name: str, settings: Settings) -> Check:
    """A compacted topic keeps the newest of each key, but a tombstone only so long."""
    named = f"topic {name} retention"
    kept_ms = int(settings.get("delete.retention.ms", "0"))
    found = f"tombstones are kept for {spoken_ms(kept_ms)}"
    if kept_ms >= _DAY_MS:
        return ok(named, found)
    why = "what is deleted while the job is down for longer stays in the graph"
    return warning(named, f"{found}: {why}", alter_topic(name, f"delete.retention.ms={_DAY_MS}"))


def _judge_retention(name: str, settings: Settings) -> Check:
    named = f"topic {name} retention"
    kept_ms, kept_bytes = int(settings.get("retention.ms", "-1")), int(settings.get("retention.bytes", "-1"))
    size = "" if kept_bytes < 0 else f", at most {spoken_bytes(kept_bytes)} a partition"
    found = f"records are kept {'for ever' if kept_ms < 0 else f'for {spoken_ms(kept_ms)}'}{size}"
    if kept_ms < 0 or kept_ms >= _DAY_MS:
        return ok(named, found)
    why = "what the job has not taken in by then is lost"
    return warning(named, f"{found}: {why}", alter_topic(name, f"retention.ms={7 * _DAY_MS}"))
