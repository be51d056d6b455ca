"""A fault becomes a reject with the original record, and survives being pickled between steps."""

import pickle

import pytest

from tests.support.places import CHECKOUT
from tests.support.wire import RESOURCES, kafka_record
from transforms.records.rejects import Fault, Reason, Reject, Step, reject


def test_a_fault_pickled_is_the_same_fault() -> None:
    fault = Fault(Reason.BAD_KEY, "the key is not UTF-8", parsed=False)
    again = pickle.loads(pickle.dumps(fault))
    assert (type(again), again.reason, again.detail, again.parsed) == (Fault, Reason.BAD_KEY, "the key is not UTF-8", False)
    assert str(again) == str(fault) == "bad_key: the key is not UTF-8"


def test_a_reject_keeps_the_record_whole() -> None:
    record = kafka_record(RESOURCES, b"\xff\x00", b"\xfe", partition=3, offset=4)
    made = reject(record, "af-10", Step.DECODE, Fault(Reason.NOT_JSON, "why", parsed=False))
    assert made == Reject(record, "af-10", Step.DECODE, Reason.NOT_JSON, "why", parsed=False)


def test_the_names_of_reasons_in_the_dead_letter_contract_stay() -> None:
    assert {str(reason) for reason in Reason} >= {
        *("not_json", "missing_field", "wrong_type", "bad_value", "bad_key", "bad_time", "empty_value", "limit_exceeded"),
        *("unknown_command", "tenant_missing", "tenant_invalid", "tenant_mismatch", "graph_refused", "tenant_quarantined"),
        *("tenant_denied", "tenant_quota", "legacy_shape", "bad_wrapper", "schema_unknown"),
        *("bad_header", "internal"),
    }


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained_in_the_documentation(reason: Reason) -> None:
    rows = [line.split("|")[1] for line in (CHECKOUT / "docs" / "records.md").read_text().splitlines() if line.startswith("| `")]
    assert any(f"`{reason}`" in row for row in rows)
