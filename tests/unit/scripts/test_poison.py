"""Every poison of the sample ends with exactly the reason that it declares, and its neighbours are not touched."""

import pytest

from scripts.sampling.poison import Poison, poisons
from tests.support.wire import (
    AT_MS,
    EDGE,
    EVENT,
    EVENTS,
    LOG,
    LOGS,
    POD,
    RESOURCES,
    RULE,
    RULES,
    TARGET,
    TARGETS,
    TENANT,
    TOPOLOGY,
    json_of,
    kafka_record,
)
from transforms.io.dead_letters.writer import encode_deadletter
from transforms.model.limits import TOPIC_MESSAGE_BYTES
from transforms.planning.interpret.dispatch import interpret
from transforms.records.decode import decode_record
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reason, Reject, Step, reject
from transforms.records.tenancy.tenant import TenantResolver, TenantRules
from transforms.steps.elements import Resolved
from transforms.steps.resolve_tenants import resolve

_POISONS = poisons(TENANT)


def _reject(record: KafkaRecord) -> Reject | None:
    """The reject that the flow from Decode to the mutations makes of a record; None for none."""
    found = resolve(decode_record(record), TenantResolver(TenantRules()))
    if isinstance(found, Reject):
        return found
    assert isinstance(found, Resolved)
    assert found.decoded.body is not None
    try:
        assert interpret(record.topic, found.decoded.body, found.client_id, found.decoded.ver)
    except Fault as fault:
        return reject(record, found.client_id, Step.INTERPRET, fault)
    return None


@pytest.mark.parametrize("poison", _POISONS, ids=lambda poison: poison.name)
def test_a_poison_is_rejected_for_the_reason_that_it_declares(poison: Poison) -> None:
    record = kafka_record(poison.topic, poison.value, poison.key, AT_MS)
    found = _reject(record)
    assert found is not None
    assert found.reason == poison.reason
    assert found.record == record
    assert 0 < len(found.detail) < 400
    assert encode_deadletter(found)


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        (RESOURCES, json_of(POD)),
        (RESOURCES, None),
        (TOPOLOGY, json_of(EDGE)),
        (TOPOLOGY, None),
        (EVENTS, json_of(EVENT)),
        (TARGETS, json_of(TARGET)),
        (TARGETS, None),
        (RULES, json_of(RULE)),
        (RULES, None),
        (LOGS, json_of(LOG)),
    ],
)
def test_the_sound_record_that_the_poisons_spoil_is_not_rejected(topic: str, value: bytes | None) -> None:
    assert _reject(kafka_record(topic, value, b"af-10::pod:shop:p")) is None


def test_poisons_have_names_of_their_own_and_cover_the_reasons_that_a_record_can_have() -> None:
    assert len({poison.name for poison in _POISONS}) == len(_POISONS)
    assert {poison.reason for poison in _POISONS} == {str(reason) for reason in Reason} - {
        "bad_header",
        "graph_refused",
        "internal",
        "tenant_denied",
        "tenant_quarantined",
        "tenant_quota",
    }


def test_every_poison_fits_into_topics_that_topics_create_made() -> None:
    for poison in _POISONS:
        assert len(poison.key or b"") + len(poison.value or b"") < TOPIC_MESSAGE_BYTES - 4096, poison.name
