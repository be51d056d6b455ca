"""The Kafka headers by which tools for Kafka Connect's dead-letter queues sort and show messages, beside the letter itself."""

from typing import Final

from transforms.records.dead_letters.letters import Letter

# As Kafka Connect's DeadLetterQueueReporter names them; every value is text.
_PREFIX: Final = "__connect.errors."
_NAME: Final = "graph-build"
# The letter holds the whole detail; with all headers a message stays within what the topic takes.
_MOST_BYTES: Final = 512


def connect_headers(letter: Letter) -> list[tuple[str, bytes]]:
    """Where the record was, which step rejected it and why; nothing that the letter does not hold, and so no secret."""
    said = {
        "topic": letter.topic,
        "partition": str(letter.partition),
        "offset": str(letter.offset),
        "connector.name": _NAME,
        # A reject belongs to no task.
        "task.id": "0",
        "stage": letter.step.upper(),
        "class.name": f"{_NAME}.{letter.step}",
        "exception.class.name": letter.reason,
        "exception.message": letter.detail,
    }
    return [(_PREFIX + name, _cut(value)) for name, value in said.items()]


def _cut(text: str) -> bytes:
    """Whole characters of UTF-8, within the limit."""
    return text.encode("utf-8", "replace")[:_MOST_BYTES].decode("utf-8", "ignore").encode()
