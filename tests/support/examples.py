"""The examples of docs/records.md, as the document has them."""

import json
import re
from typing import Any, NamedTuple

from tests.support.places import CHECKOUT
from transforms.records.topic_names import ALL_TOPICS

SECTION = (CHECKOUT / "docs" / "records.md").read_text().split("## An example of each topic\n")[1].split("\n## ")[0]
TENANT = "af-10"
_JSON = re.compile(r"```json\n(.*?)```\n\nOutcome: `(\w+)`\.(.*?)(?:\n\n|\n?\Z)", re.DOTALL)
_RELATIONSHIP = re.compile(r"\(([^()]+)\)-\[(\w+)\]->\(([^()]+)\)")


class Example(NamedTuple):
    topic: str
    key: str
    headers: dict[str, str]
    value: Any
    outcome: str
    relationships: set[tuple[str, str, str]]


def section_of(topic: str) -> str:
    return SECTION.split(f"### {topic}\n")[1].split("\n### ")[0]


def example_of(topic: str) -> Example:
    found = _JSON.search(section_of(topic))
    assert found, topic
    held = {(kind, left, right) for left, kind, right in _RELATIONSHIP.findall(found[3])}
    return Example(**json.loads(found[1]), outcome=found[2], relationships=held)


EXAMPLES = tuple(example_of(topic) for topic in ALL_TOPICS)

# The program in Python, as people paste it.
(PRODUCER,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
