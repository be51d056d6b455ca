"""What the steps do with an exception that nobody foresaw: the records at fault are found, rejected and counted."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from transforms.io.faults import InfrastructureFault
from transforms.io.unforeseen import counted, unforeseen
from transforms.model.metrics import INTERNAL
from transforms.planning.merge.fold import Interpreted, Sealed
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reject, Step, reject
from transforms.steps.metrics import count

T = TypeVar("T")


class Failed(NamedTuple):
    """One mutation that cannot be worked on, and what came of it."""

    one: Interpreted | Sealed
    error: Exception


def caught(error: Exception, step: Step, record: KafkaRecord | None, client_id: str) -> Fault:
    """The fault of the record that the step was at, counted; raises as `unforeseen` does. Call it in the runner's own thread."""
    fault = unforeseen(error, step, record, client_id)
    flush()
    return fault


def flush() -> None:
    """Count what was caught where no runner's counters are at hand; call it in the runner's own thread."""
    for step, number in counted().items():
        count(INTERNAL, number, step)


def rejects_of(failed: Failed, step: Step, client_id: str) -> list[Reject]:
    """The rejects of the records that stand behind a mutation; none where their outcome is another mutation's."""
    fault = caught(failed.error, step, failed.one.record, client_id)
    records = (failed.one.record, *failed.one.absorbed)
    return [reject(record, client_id, step, fault) for record in records if record is not None]


def bisected(ones: Sequence[Interpreted], work: Callable[[Sequence[Interpreted]], T]) -> Iterator[T | Failed]:
    """What `work` makes of them all; where it fails, of its halves, down to the mutation at fault.

    work: leaves nothing behind where it raises. Raises InfrastructureFault where it does.
    """
    try:
        done: T | Failed = work(ones)
    except InfrastructureFault:
        raise
    except Exception as error:  # noqa: BLE001 - the net
        if len(ones) > 1:
            middle = len(ones) // 2
            yield from bisected(ones[:middle], work)
            yield from bisected(ones[middle:], work)
            return
        done = Failed(ones[0], error)
    yield done
