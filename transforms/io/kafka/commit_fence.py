"""Commits that a broker takes from the newest run of a group alone.

A lease cannot do that by itself: whoever is stopped between looking at it and committing would commit after its successor.
Kafka's transactions can. Each run's first commit raises the epoch of the group's transactional id, and the broker refuses
every later commit of an older epoch, however long it was on its way.
"""

from collections.abc import Callable
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from transforms.io.deadline import Overdue, within
from transforms.io.faults import LeaseHeldElsewhere
from transforms.io.kafka.target import KafkaTarget

_LOG: Final = structlog.get_logger("offsets")
_STEP_S: Final = 15.0
# The client does not hold all steps to their time: where the coordinator was away, offsets are sent for ever (librdkafka 5456).
_OVERDUE_S: Final = _STEP_S + 2
_TRANSACTION_MS: Final = 60_000
_ATTEMPTS: Final = 3
_FENCED: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - librdkafka's own codes are public under these names
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
    }
)
# A cluster that has no transactions, or has none for this user.
_NOT_HERE: Final = frozenset(
    {
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
    }
)


class CommitFence:
    """Commits for one group; a later fence of the same group shuts this one out."""

    def __init__(self, target: KafkaTarget) -> None:
        self._target = target
        self._producer: Producer | None = None
        self._is_here = True

    def commit(self, consumer: Consumer, ends: list[TopicPartition]) -> bool:
        """Commit the offsets, and return when whoever asks is told of them; False, with nothing committed, where the cluster cannot.

        Raises GroupTaken where another run has committed since, KafkaException where it did not go well.
        """
        producer = self._opened()
        if producer is None:
            return False
        try:
            producer.begin_transaction()
            _tried(lambda: producer.send_offsets_to_transaction(ends, consumer.consumer_group_metadata(), _STEP_S))
            _tried(lambda: producer.commit_transaction(_STEP_S))
        except KafkaException as error:
            self._give_up(error.args[0])
            raise
        except Overdue:
            # The next producer raises the epoch: should this one's step ever go on, the broker refuses it.
            self._producer = None
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"no commit within {_OVERDUE_S:.0f} s")) from None  # noqa: SLF001
        # The broker writes the end of a transaction a moment after it has taken it; this waits for that.
        consumer.committed([TopicPartition(at.topic, at.partition) for at in ends], timeout=_STEP_S)
        return True

    def _opened(self) -> Producer | None:
        if self._producer is None and self._is_here:
            settings = {"transactional.id": f"{self._target.group}.commits", "transaction.timeout.ms": _TRANSACTION_MS}
            producer = self._target.open(Producer, settings)
            try:
                _tried(lambda: producer.init_transactions(_STEP_S))
            except KafkaException as error:
                if error.args[0].code() not in _NOT_HERE:
                    raise
                self._is_here = False
                _LOG.warning(
                    "commits are not fenced",
                    group=self._target.group,
                    detail=f"{error.args[0].str()}; grant WRITE on the transactional id {self._target.group}.commits",
                )
            else:
                self._producer = producer
        return self._producer

    def _give_up(self, error: KafkaError) -> None:
        if error.code() in _FENCED:
            raise LeaseHeldElsewhere(
                f"Another run of the consumer group {self._target.group} has committed while this one was held up; "
                "nothing of this slice was committed: let one of them go on."
            )
        producer = self._producer
        self._producer = None
        if producer is not None and error.txn_requires_abort():
            _tried(lambda: producer.abort_transaction(_STEP_S))
            self._producer = producer


def _tried(step: Callable[[], object]) -> None:
    """Do a step of a transaction; one that Kafka says may be repeated is. Raises Overdue where it does not end."""
    for attempt in range(_ATTEMPTS):
        try:
            within(_OVERDUE_S, step)
        except KafkaException as error:
            if attempt + 1 == _ATTEMPTS or not error.args[0].retriable():
                raise
        else:
            return
