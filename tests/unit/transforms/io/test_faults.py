"""The sentence of an infrastructure fault is found again, however a runner wraps it."""

import pickle

import pytest

from transforms.io.faults import InfrastructureFault, fault_sentence

_SENTENCE = "Neo4j cannot be used;\nstart it, then run again."


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InfrastructureFault(_SENTENCE), _SENTENCE),
        (pickle.loads(pickle.dumps(InfrastructureFault(_SENTENCE))), _SENTENCE),
        (RuntimeError(f"step failed: {InfrastructureFault(_SENTENCE)} [while running 'Write']"), _SENTENCE),
        (RuntimeError(str(RuntimeError(repr(InfrastructureFault("one line"))))), "one line"),
        (RuntimeError(f"{InfrastructureFault('first')} {InfrastructureFault('second')}"), "first"),
        (RuntimeError(_SENTENCE), None),
        (ValueError(), None),
    ],
)
def test_only_an_infrastructure_fault_has_a_sentence(error: BaseException, sentence: str | None) -> None:
    assert fault_sentence(error) == sentence
