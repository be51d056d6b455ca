"""How each topic is to be kept by Kafka: what the job makes topics with, and what the doctor recommends."""

from typing import Final

from transforms.model.limits import DEADLETTER_MESSAGE_BYTES, TOPIC_MESSAGE_BYTES
from transforms.records.topics import Topic

LOG_APPEND_TIME: Final = "LogAppendTime"
DEADLETTER_SETTINGS: Final = {"cleanup.policy": "delete", "max.message.bytes": str(DEADLETTER_MESSAGE_BYTES)}


def topic_settings(topic: Topic | None) -> dict[str, str]:
    """The settings of a topic of the contract, by Kafka's names; None: of one that this version does not decode.

    State is compacted, and its record timestamps are the broker's; what happens is kept by age.
    """
    is_state = topic is not None and topic.state
    kept = {"cleanup.policy": "compact", "message.timestamp.type": LOG_APPEND_TIME} if is_state else {"cleanup.policy": "delete"}
    return kept | {"max.message.bytes": str(TOPIC_MESSAGE_BYTES)}
