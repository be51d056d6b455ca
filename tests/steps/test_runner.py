"""The DirectRunner is Beam's FnApiRunner and nothing else."""

from collections.abc import Callable

import apache_beam as beam
import pytest
from apache_beam.runners.direct.direct_runner import SwitchingDirectRunner
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.prism_runner import PrismRunner

from runners.direct import check_java_side, run_pipeline
from transforms.io.faults import InfrastructureFault


def of(step: beam.PTransform) -> Callable[[beam.Pipeline], None]:
    """A pipeline that does one thing to one number."""

    def build(pipeline: beam.Pipeline) -> None:
        pipeline | beam.Create([1]) | step

    return build


class RaiseFn(beam.DoFn):
    """Raises as a step does whose store is away."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def process(self, _element: int) -> None:
        raise self._error


def test_a_pure_python_pipeline_never_tries_prism(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    ran: list[type] = []
    original = FnApiRunner.run_pipeline

    def run(self: FnApiRunner, *arguments: object) -> object:
        ran.append(type(self))
        return original(self, *arguments)

    monkeypatch.setattr(FnApiRunner, "run_pipeline", run)
    for rival in (PrismRunner, SwitchingDirectRunner):
        monkeypatch.setattr(rival, "run_pipeline", lambda *_: tried.append("rival"))

    run_pipeline(of(beam.Map(str)))

    assert (ran, tried) == ([FnApiRunner], [])


def test_an_infrastructure_fault_comes_out_of_the_runner_as_its_own_sentence() -> None:
    with pytest.raises(InfrastructureFault) as raised:
        run_pipeline(of(beam.ParDo(RaiseFn(InfrastructureFault("It is away.")))))

    assert raised.value.sentence == "It is away."


def test_a_defect_comes_out_of_the_runner_as_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError, match="ours"):
        run_pipeline(of(beam.ParDo(RaiseFn(ZeroDivisionError("ours")))))


def test_a_java_side_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.direct._CONNECT_S", 0.2)

    with pytest.raises(InfrastructureFault, match=r"does not answer at 127\.0\.0\.1:1; start it with"):
        check_java_side("127.0.0.1:1")
