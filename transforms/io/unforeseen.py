"""The net: an exception that no line foresaw costs the record that it is about, and nobody else's.

A defect of this job must not stop everybody; in this project's own tests it must not hide either. There
`GRAPH_BUILD_UNFORESEEN=raise` is set, and the exception goes on as it is.
"""

import os
import threading
import traceback
from collections import Counter
from pathlib import Path
from typing import Final

import structlog

from transforms.io.faults import InfrastructureFault
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault, Reason, Step

SWITCH: Final = "GRAPH_BUILD_UNFORESEEN"
RAISE: Final = "raise"
_LOG: Final = structlog.get_logger("unforeseen")
# Of places whose traceback was logged; a defect has one or two.
_MOST_PLACES: Final = 100
_ROOT: Final = Path(__file__).resolve().parents[2]
_told: Final[set[str]] = set()
_counted: Final[Counter[Step]] = Counter()
_noting: Final = threading.Lock()


def unforeseen(error: Exception, step: Step, record: KafkaRecord | None = None, client_id: str = "") -> Fault:
    """The fault, `internal`, that an exception makes of the record that the step was at; call it while the exception is handled.

    Raises the exception itself where it is an InfrastructureFault, and in tests. Its traceback is logged once a process for each
    place that raised it; its message is told nowhere, since it may hold what the record holds.
    """
    if isinstance(error, InfrastructureFault) or os.environ.get(SWITCH) == RAISE:
        raise error
    said = f"{type(error).__name__} at {_place(error)}"
    with _noting:
        _counted[step] += 1
        is_news = said not in _told and len(_told) < _MOST_PLACES
        if is_news:
            _told.add(said)
    if is_news:
        _LOG.error(
            "a defect of the job was met; the record is passed over and the run goes on",
            step=str(step),
            client_id=client_id or None,
            record=record.coordinates if record else None,
            error=said,
            traceback="".join(traceback.format_tb(error.__traceback__)),
        )
    return Fault(Reason.INTERNAL, f"a defect of the job ({said}); report it with the log, and replay once it is mended", parsed=False)


def counted() -> Counter[Step]:
    """How often exceptions were caught since this was last asked, by step."""
    with _noting:
        found = Counter(_counted)
        _counted.clear()
    return found


def _place(error: Exception) -> str:
    """The line that raised it, by the path within this project where it is one of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_ROOT)]
    frame = (ours or frames)[-1]
    path = Path(frame.filename)
    shown = path.relative_to(_ROOT) if ours else path.name
    return f"{shown}:{frame.lineno}"
