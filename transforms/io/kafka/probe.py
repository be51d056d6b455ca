"""What Kafka tells of itself: brokers, topics, rights, the group. Nothing is produced, committed or made.

Every question is bounded in time; one that Kafka refuses or does not answer is `ProbeError`, never an exception.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, Final, NamedTuple, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from transforms.io.answers import ProbeError
from transforms.io.kafka.offsets import Place
from transforms.io.kafka.target import KafkaTarget

CONNECT_S: Final = 5.0
_ASK_S: Final = 5.0
_ATTEMPT_S: Final = 0.5
_NO_LEADER: Final = -1
# A broker says so while groups move to another, and on the first use of a group in a new cluster.
_SETTLING: Final = frozenset({"NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS"})
_PROTOCOL_VERSION: Final = "inter.broker.protocol.version"
_OFFSETS_RETENTION: Final = "offsets.retention.minutes"

T = TypeVar("T")


class ConnectFault(NamedTuple):
    """Why a connection did not come to be, as librdkafka told: its name of the error, and its words."""

    code: str
    said: str


class Brokers(NamedTuple):
    """A cluster that answered. answered: by host and port. version: of its protocol, "" where it does not say."""

    answered: str
    number: int
    cluster_id: str
    version: str = ""


class Partition(NamedTuple):
    """replicas, in_sync: how many."""

    number: int
    has_leader: bool
    replicas: int
    in_sync: int


class TopicDescription(NamedTuple):
    """operations: what this user may do with it, by Kafka's names; None where Kafka does not say."""

    partitions: tuple[Partition, ...]
    operations: frozenset[str] | None


class GroupTold(NamedTuple):
    """A consumer group. members: who has joined it, by client and host."""

    members: tuple[str, ...]
    operations: frozenset[str] | None


class KafkaProbe:
    """Asks one cluster, as the user that the target names.

    Raises InfrastructureFault where the target's password cannot be read.
    """

    def __init__(self, target: KafkaTarget) -> None:
        self._group = target.group
        self._faults: list[ConnectFault] = []
        self._admin: AdminClient | None = None
        config = target.client_config() | {"log_level": 0, "error_cb": self._keep}
        try:
            self._admin = AdminClient(config)
        except KafkaException as error:
            self._keep(error.args[0])

    def _keep(self, error: KafkaError) -> None:
        fault = ConnectFault(error.name(), error.str())
        if fault not in self._faults:
            self._faults.append(fault)

    def brokers(self) -> Brokers | tuple[ConnectFault, ...]:
        """The cluster, or what was told of each failed attempt to reach it for `CONNECT_S`."""
        limit = time.monotonic() + CONNECT_S
        while self._admin is not None and time.monotonic() < limit:
            try:
                told = self._admin.list_topics(timeout=_ATTEMPT_S)
            except KafkaException:
                # Says only that there was no answer; why is told to `error_cb`, which is served here.
                self._admin.poll(0)
                continue
            answered = str(told.orig_broker_name).rpartition("/")[0].rpartition("//")[2]
            return Brokers(answered, len(told.brokers), str(told.cluster_id), self._version(told.brokers) if told.brokers else "")
        return tuple(self._faults)

    def _version(self, brokers: Iterable[int]) -> str:
        """As one of the brokers says; not by the number of the one that answered, which over its first connection is -1."""
        broker = str(min(brokers))
        settings = self._settings(ResourceType.BROKER, [broker])[broker]
        return "" if isinstance(settings, ProbeError) else settings.get(_PROTOCOL_VERSION, "").partition("-")[0]

    def offsets_retention_s(self) -> float | None:
        """For how long a group's committed offsets are kept; None where Kafka does not say."""
        broker = str(min(self._asked.list_topics(timeout=_ASK_S).brokers, default=0))
        settings = self._settings(ResourceType.BROKER, [broker])[broker]
        minutes = "" if isinstance(settings, ProbeError) else settings.get(_OFFSETS_RETENTION, "")
        return float(minutes) * 60 if minutes.isdecimal() else None

    @property
    def _asked(self) -> AdminClient:
        assert self._admin is not None, "asked before a broker answered"
        return self._admin

    def names(self) -> list[str]:
        """All topics that this user may see; none where Kafka does not say."""
        try:
            return sorted(self._asked.list_topics(timeout=_ASK_S).topics)
        except KafkaException:
            return []

    def all_groups(self) -> dict[str, tuple[str, ...]]:
        """The consumer groups that Kafka tells this user of, each with what its members call themselves."""
        try:
            listed = self._asked.list_consumer_groups(request_timeout=_ASK_S).result()
        except KafkaException:
            return {}
        ids = sorted(one.group_id for one in listed.valid)
        told = _answers(self._asked.describe_consumer_groups(ids, request_timeout=_ASK_S)) if ids else []
        found = ((group_id, answer) for group_id, answer in told if not isinstance(answer, ProbeError))
        return {group_id: tuple(sorted({member.client_id for member in answer.members})) for group_id, answer in found}

    def topics(self, names: Iterable[str]) -> dict[str, TopicDescription | ProbeError]:
        """Each topic; one that does not exist is Untold with the code UNKNOWN_TOPIC_OR_PART."""
        wanted = TopicCollection(list(names))
        told = self._asked.describe_topics(wanted, include_authorized_operations=True, request_timeout=_ASK_S)
        return {name: _topic(answer) for name, answer in _answers(told)}

    def settings(self, topics: Iterable[str]) -> dict[str, dict[str, str] | ProbeError]:
        """The settings in force of each topic, by their names."""
        return self._settings(ResourceType.TOPIC, topics)

    def _settings(self, kind: ResourceType, names: Iterable[str]) -> dict[str, dict[str, str] | ProbeError]:
        asked = [ConfigResource(kind, name) for name in names]
        told = _answers(self._asked.describe_configs(asked, request_timeout=_ASK_S))
        return {
            resource.name: answer
            if isinstance(answer, ProbeError)
            else {name: entry.value for name, entry in answer.items() if entry.value}
            for resource, answer in told
        }

    def group(self) -> GroupTold | ProbeError:
        """The consumer group; one that nobody has used yet has no members."""
        again = Retrying(
            retry=retry_if_result(lambda told: isinstance(told, ProbeError) and told.code in _SETTLING),
            wait=wait_fixed(0.2),
            stop=stop_after_delay(_ASK_S),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        answer = again(self._describe_group)
        if isinstance(answer, ProbeError):
            return answer
        members = tuple(f"{member.client_id} at {member.host.removeprefix('/')}" for member in answer.members)
        return GroupTold(members, _operations(answer))

    def _describe_group(self) -> Any:
        told = self._asked.describe_consumer_groups([self._group], include_authorized_operations=True, request_timeout=_ASK_S)
        return _answer(told[self._group])

    def could_make(self, topic: NewTopic) -> ProbeError | None:
        """None where Kafka would make the topic for this user; it is asked for its judgement only."""
        told = self._asked.create_topics([topic], validate_only=True, request_timeout=_ASK_S)
        answer = _answer(told[topic.topic])
        return answer if isinstance(answer, ProbeError) else None

    def newest(self, places: Iterable[Place]) -> dict[Place, int] | ProbeError:
        """The greatest record timestamp of each partition that holds a record, in milliseconds since 1970."""
        asked = {TopicPartition(*place): OffsetSpec.max_timestamp() for place in places}
        found: dict[Place, int] = {}
        for at, answer in _answers(self._asked.list_offsets(asked, request_timeout=_ASK_S)):
            if isinstance(answer, ProbeError):
                return answer
            if answer.offset >= 0:
                found[at.topic, at.partition] = answer.timestamp
        return found


def _answers(told: "Mapping[T, Future[Any]]") -> Iterator[tuple[T, Any]]:
    for asked, future in told.items():
        yield asked, _answer(future)


def _answer(future: "Future[Any]") -> Any:
    """The answer, or Untold."""
    try:
        return future.result(2 * _ASK_S)
    except KafkaException as error:
        return ProbeError(error.args[0].str(), error.args[0].name())
    except TimeoutError:
        return ProbeError(f"no answer in {2 * _ASK_S:.0f} s", "_TIMED_OUT")


def _topic(answer: Any) -> TopicDescription | ProbeError:
    if isinstance(answer, ProbeError):
        return answer
    partitions = (Partition(one.id, _is_led(one.leader), len(one.replicas), len(one.isr)) for one in answer.partitions)
    return TopicDescription(tuple(sorted(partitions)), _operations(answer))


def _is_led(leader: Any) -> bool:
    return leader is not None and leader.id != _NO_LEADER


def _operations(answer: Any) -> frozenset[str] | None:
    operations = answer.authorized_operations
    return None if operations is None else frozenset(operation.name for operation in operations)
