"""The examples of docs/records.md: each becomes what the document says, and their fields are those that the job decodes."""

import json
import re
import shlex

import msgspec
import pytest

from tests.support.examples import EXAMPLES, SECTION, TENANT, Example, example_of, section_of
from tests.support.play import played, written
from transforms.records.envelopes.types import Edge, Event, Heartbeat, Registration, Resource, Rule, Target
from transforms.records.record import KafkaRecord
from transforms.records.topic_names import ALL_TOPICS, EVENTS, HEARTBEATS, LOGS, REGISTRY, RESOURCES, RULES, TARGETS, TOPOLOGY
from transforms.testing.memory_graph import MemoryTenant

# When Kafka took them in: ten past eight, after the times of their bodies.
AT_MS = 1_772_352_600_000
_ROW = re.compile(r"^\| (.+?) \| .+? \|.*\|$", re.MULTILINE)
STRUCTS: dict[str, type[msgspec.Struct]] = {RESOURCES: Resource, TOPOLOGY: Edge, EVENTS: Event, TARGETS: Target, RULES: Rule}
# Whatever has no name of its own: the episode of a line.
_ANY = "…"
_REFERS = {"Episodic": "ABOUT", "PromTarget": "SCRAPES", "Rule": "SCOPES"}


def record_of(example: Example, offset: int = 0) -> KafkaRecord:
    headers = tuple((name, value.encode()) for name, value in example.headers.items())
    return KafkaRecord(example.topic, 0, offset, AT_MS, example.key.encode(), json.dumps(example.value).encode(), headers)


def relationships(graph: MemoryTenant) -> set[tuple[str, str, str]]:
    referring = {(_REFERS[at.label], at.key, rid) for at, rid in graph.references.items()}
    return {(one.type, one.source, one.target) for one in graph.triples()} | referring


def test_every_topic_has_an_example_of_its_own() -> None:
    assert [example.topic for example in EXAMPLES] == list(ALL_TOPICS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.topic)
def test_an_example_has_the_outcome_and_the_relationships_that_the_document_says(example: Example) -> None:
    store, outcomes = written(played([record_of(example)]))

    held = relationships(store.tenants[TENANT]) if TENANT in store.tenants else set()
    names = {left for _, left, _ in example.relationships}
    found = {(kind, _ANY if _ANY in names else left, right) for kind, left, right in held}
    assert (outcomes, found) == ([example.outcome], example.relationships)


def test_the_examples_agree_on_one_small_graph() -> None:
    _, outcomes = written(played([record_of(example, at) for at, example in enumerate(EXAMPLES)]))

    assert outcomes == [example.outcome for example in EXAMPLES]


def documented(topic: str) -> dict[str, bool]:
    """The fields of the topic's table, each with whether it is required."""
    cells = [cell for cell in _ROW.findall(section_of(topic)) if "`" in cell]
    return {name: cell.startswith("**") for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("topic", STRUCTS)
def test_the_fields_of_a_table_are_those_that_the_job_decodes(topic: str) -> None:
    fields = {one.encode_name: one.required for one in msgspec.structs.fields(STRUCTS[topic])}
    # What is required of an UPSERT alone, the interpretation asks for.
    of_upserts = {RESOURCES: {"name"}, TARGETS: {"labels"}, RULES: {"group", "rule", "type"}}.get(topic, set())

    assert documented(topic) == {name: required or name in of_upserts for name, required in fields.items()}


@pytest.mark.parametrize(("topic", "struct"), [(REGISTRY, Registration), (HEARTBEATS, Heartbeat)])
def test_so_are_those_of_records_about_clusters(topic: str, struct: type[msgspec.Struct]) -> None:
    said = section_of(topic).split("Outcome: `control`.")[1]

    assert {one.encode_name for one in msgspec.structs.fields(struct)} == set(re.findall(r"`(\w+)`", said))


OTHERS: dict[str, tuple[object, tuple[str, ...]]] = {
    "message": ("panic: out of range", ()),
    "pod_namespace": ("mesh", ()),
    "pod_name": ("cart-2", ()),
    "event_time": ("2026-03-01T08:01:03Z", ()),
    "event_id": ("line-2", ()),
    "severity": ("FATAL", ()),
    "level": ("FATAL", ("severity",)),
    "container": ("sidecar", ()),
    "subject": ({"kind": "Pod", "ns": "mesh", "name": "cart-2"}, ("pod_name", "pod_namespace")),
    "client_id": ("af-11", ()),
}


def test_every_field_of_a_log_line_is_read() -> None:
    """Another value in its place, or in that of the fields that go before it, is another meaning."""
    assert documented(LOGS).keys() == OTHERS.keys()
    example = example_of(LOGS)
    for field, (other, instead_of) in OTHERS.items():
        left = {name: value for name, value in example.value.items() if name not in instead_of}
        assert played([record_of(example._replace(value=left | {field: other}))]) != played([record_of(example._replace(value=left))]), (
            field
        )


def test_kcat_s_line_is_a_record_that_the_job_takes() -> None:
    command = re.search(r"```sh\nprintf '%s\\n' (.*?) \|\n  kcat (.*?)\n```", SECTION, re.DOTALL)
    assert command
    (line,), flags = shlex.split(command[1]), shlex.split(command[2].replace("$", ""))
    key, _, value = line.partition(flags[flags.index("-K") + 1])
    record = KafkaRecord(flags[flags.index("-t") + 1], 0, 0, AT_MS, key.encode(), value.encode())

    _, outcomes = written(played([record]))

    assert outcomes == ["written"]
