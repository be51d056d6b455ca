"""What Kafka says through the Java side of Beam's connector, which comes back as the text of a Java stack trace."""

from typing import Final

import re2

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.offsets import kafka_fault
from transforms.io.kafka.target import KafkaTarget

# Kafka's client throws these for what brokers do or refuse; what concerns a record's bytes is the exception to it.
_KAFKA_ERROR: Final = re2.compile(r"org\.apache\.kafka\.common\.errors\.(\w+)(?:: ([^\r\n]*))?")
_OF_RECORDS: Final = frozenset({"SerializationException", "RecordDeserializationException"})
_SAID_CHARS: Final = 300


def connector_fault(target: KafkaTarget, error: BaseException) -> InfrastructureFault | None:
    """The fault where the Java side failed because Kafka is away or refuses; None for anything else."""
    found = [one for one in _KAFKA_ERROR.finditer(str(error)) if one[1] not in _OF_RECORDS]
    if not found:
        return None
    # The last cause is the first to have happened.
    name, said = found[-1].groups()
    return kafka_fault(target, (said or name).strip()[:_SAID_CHARS])
