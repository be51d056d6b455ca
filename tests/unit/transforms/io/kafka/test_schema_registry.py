"""Ids that a registry does not know cost their sender, and not the others, whatever and however many they are."""

from collections import Counter

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryError

from tests.support.wire import RESOURCES, kafka_record
from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.registry_target import RegistryTarget
from transforms.io.kafka.schema_registry import SchemaRegistry
from transforms.records.decode import decode_record
from transforms.records.rejects import Fault, Reason

KNOWN = 7


class Client:
    """A registry with one schema, behind the client's door. answer: to any other id. subjects: to what they are asked for."""

    def __init__(self, answer: SchemaRegistryError, subjects: Exception | None = None) -> None:
        self.answer = answer
        self.subjects = subjects
        self.asked: Counter[int] = Counter()
        self.pings = 0

    def get_schema(self, schema_id: int) -> Schema:
        self.asked[schema_id] += 1
        if schema_id != KNOWN:
            raise self.answer
        return Schema("{}", "JSON")

    def get_subjects(self) -> list[str]:
        self.pings += 1
        if self.subjects:
            raise self.subjects
        return []


def unknown() -> SchemaRegistryError:
    return SchemaRegistryError(404, 40403, "Schema not found")


def registry(client: Client, now: list[float] | None = None) -> SchemaRegistry:
    moments = now or [0.0]
    made = SchemaRegistry(RegistryTarget("http://127.0.0.1:1", retry_s=0), lambda: moments[0])
    made._client = client
    return made


def reason_of(made: SchemaRegistry, schema_id: int, asker: str = "af-10") -> Reason:
    with pytest.raises(Fault) as raised:
        made.reader(schema_id, asker)
    return raised.value.reason


@pytest.mark.parametrize("schema_id", [0, 2**31, 2**32 - 1])
def test_an_id_that_no_registry_can_have_is_not_asked_for(schema_id: int) -> None:
    client = Client(unknown())
    found = decode_record(kafka_record(RESOURCES, b"\0" + schema_id.to_bytes(4, "big") + b"x"), schemas=registry(client).reader)
    assert found.fault is not None
    assert found.fault.reason is Reason.SCHEMA_UNKNOWN
    assert not client.asked


@pytest.mark.parametrize(("status", "code"), [(404, 404), (400, 400), (404, 40403), (405, 405), (422, 42202), (410, -1), (451, 0)])
def test_a_refusal_of_one_id_is_that_record_s(status: int, code: int) -> None:
    made = registry(Client(SchemaRegistryError(status, code, "no")))
    assert reason_of(made, 9) is Reason.SCHEMA_UNKNOWN
    assert made.reader(KNOWN) is bytes


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_refusal_of_who_asks_or_of_asking_now_is_the_registry_s(status: int) -> None:
    with pytest.raises(InfrastructureFault, match=str(status)):
        registry(Client(SchemaRegistryError(status, status, "no"))).reader(9)


def test_what_is_no_registry_at_all_is_not_taken_for_one_without_the_schema() -> None:
    client = Client(SchemaRegistryError(404, 404, "no"), SchemaRegistryError(404, 404, "nothing here"))
    with pytest.raises(InfrastructureFault, match="404 nothing here"):
        registry(client).reader(9)
    assert client.pings == 1


def test_random_ids_of_one_are_not_asked_for_without_end_and_hold_up_nobody_else() -> None:
    client, now = Client(unknown()), [0.0]
    made = registry(client, now)
    assert {reason_of(made, schema_id) for schema_id in range(100, 2100)} == {Reason.SCHEMA_UNKNOWN}
    assert client.asked.total() == 32
    assert made.reader(KNOWN, "af-11") is bytes
    assert reason_of(made, 5000, "af-11") is Reason.SCHEMA_UNKNOWN
    assert client.asked[5000] == 1, "who has not asked in vain is asked for"
    now[0] = 31.0
    assert reason_of(made, 100) is Reason.SCHEMA_UNKNOWN
    assert client.asked[100] == 2, "what was unknown may have been registered since"


def test_random_ids_of_invented_senders_are_limited_together_and_the_known_ones_are_asked_for_still() -> None:
    client = Client(unknown())
    made = registry(client)
    assert made.reader(KNOWN, "af-11") is bytes
    for number in range(3000):
        assert reason_of(made, 100 + number, f"invented-{number}") is Reason.SCHEMA_UNKNOWN
    assert client.asked.total() == 1 + 512
    assert reason_of(made, 9000, "af-11") is Reason.SCHEMA_UNKNOWN
    assert client.asked[9000] == 1
    assert made.reader(KNOWN, "invented-1") is bytes
    assert client.asked[KNOWN] == 1, "what is known is not asked for again"


def test_memory_does_not_grow_with_the_ids() -> None:
    now = [0.0]
    made = registry(Client(unknown()), now)
    for number in range(6_000):
        now[0] += 1.0
        reason_of(made, 100 + number, f"invented-{number}")
    assert len(made._unknown) <= 4096
    assert len(made._in_vain) <= 512
    assert len(made._held) == 0
