"""Every topic and every command is complete: decoded, interpreted or carried out, and documented as it is declared."""

import re
from typing import get_args

import msgspec
import pytest

from scripts.topic_doc import document
from tests.support.places import CHECKOUT
from transforms.planning.interpret.dispatch import INTERPRETERS
from transforms.records.commands import BUS_COMMANDS, COMMAND_OF_WORD
from transforms.records.envelopes.types import (
    Body,
    Command,
    Edge,
    Event,
    Filtered,
    Heartbeat,
    Registration,
    Resource,
    Rule,
    Target,
    Tombstone,
)
from transforms.records.topic_names import EVENTS, HEARTBEATS, REGISTRY, RESOURCES, RULES, TARGETS, TOPOLOGY
from transforms.records.topics import TOPIC_OF_NAME, TOPICS

ENVELOPES: dict[str, type[msgspec.Struct]] = {
    RESOURCES: Resource,
    TOPOLOGY: Edge,
    EVENTS: Event,
    TARGETS: Target,
    RULES: Rule,
    REGISTRY: Registration,
    HEARTBEATS: Heartbeat,
}
# Bodies that come to no mutation by themselves: the topic, or the step that meets them, says what they mean.
WITHOUT = {Command, Registration, Heartbeat, Tombstone, Filtered}


def test_names_are_unique() -> None:
    assert len(TOPIC_OF_NAME) == len(TOPICS)
    assert len(COMMAND_OF_WORD) == len(BUS_COMMANDS)


def test_every_topic_with_a_body_for_the_graph_is_interpreted_and_every_state_topic_has_tombstones() -> None:
    of_graph = {topic.name for topic in TOPICS if not (topic.control or topic.tenancy)}
    assert set(INTERPRETERS) == of_graph
    for name, interpreter in INTERPRETERS.items():
        assert interpreter.templates or interpreter.bodies, name
        assert bool(interpreter.tombstone) == TOPIC_OF_NAME[name].state, name


def test_every_body_is_interpreted_by_one_topic() -> None:
    found = [body for one in INTERPRETERS.values() for body in (*one.templates, *one.bodies)]
    assert len(set(found)) == len(found)
    assert set(found) == set(get_args(Body)) - WITHOUT


def test_the_documentation_is_what_the_tables_say() -> None:
    assert (CHECKOUT / "docs" / "topics.md").read_text() == "\n".join(document()) + "\n"


@pytest.mark.parametrize("name", ENVELOPES)
def test_every_field_that_an_envelope_may_have_is_documented(name: str) -> None:
    topic = TOPIC_OF_NAME[name]

    told = set(re.findall(r"`([A-Za-z_]+)`", topic.required + topic.optional))

    assert {field.encode_name for field in msgspec.structs.fields(ENVELOPES[name])} <= told
