"""docs/topics.md, generated from the declared topics and commands: `python -m scripts.topic_doc > docs/topics.md`."""

import sys
from collections.abc import Iterator
from textwrap import fill
from typing import Final

from transforms.records.commands import BUS_COMMANDS
from transforms.records.topics import TOPICS, Topic

_WIDTH: Final = 120
INTRODUCTION: Final = """\
# Topics and commands

`python -m scripts.topic_doc` generates this page from `transforms/records/topics.py` and `transforms/records/commands.py`;
a test compares them. [Records and rejects](records.md) explains the fields, other shapes that the job accepts, and keys.

| topic | contents | cleanup policy | empty value |
|---|---|---|---|"""


def document() -> Iterator[str]:
    """The lines of the document."""
    yield INTRODUCTION
    for topic in TOPICS:
        yield f"| `{topic.name}` | {topic.holds} | {'compact' if topic.state else 'delete'} | {_empty(topic)} |"
    yield "\n## Fields of the envelopes\n\nAn envelope may have other fields; the job ignores them."
    for topic in TOPICS:
        yield f"\n`{topic.name}`\n"
        yield fill(f"- required: {topic.required}", _WIDTH, subsequent_indent="  ")
        yield fill(f"- optional: {topic.optional}", _WIDTH, subsequent_indent="  ")
    yield '\n## Commands\n\nA record on `graph.commands` is `{"command": "WORD"}`. The bus may deliver a command more than once.\n'
    yield "| word | effect |\n|---|---|"
    for command in BUS_COMMANDS:
        yield f"| `{command.word}` | {command.help} |"


def _empty(topic: Topic) -> str:
    return "a tombstone" if topic.state else "rejected"


if __name__ == "__main__":
    sys.stdout.write("\n".join(document()) + "\n")
