"""The process that writes an archive, and what it is told: records come over a pipe, files and faults go back.

Encoding is the larger part of archiving, and in the job's own process it would take turns with everything else (docs/adr/015).
Run as a module by `ArchiveProcess`: python -m transforms.io.archive.writer ASKED ANSWERED PARENT ROOT
"""

import ctypes
import gc
import os
import signal
import sys
import traceback
from collections import defaultdict
from collections.abc import Callable
from enum import IntEnum
from multiprocessing.connection import Connection
from typing import Any, Final

import msgspec
import structlog

from transforms.io.archive.files import Archive
from transforms.io.faults import InfrastructureFault
from transforms.records.archive_format.runs import Gathered, groups_of

_HEAD_BYTES: Final = 9
_DIES_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG of Linux
Write = Callable[[list[Gathered]], list[str]]
_ENCODER: Final = msgspec.msgpack.Encoder()
_GATHERED: Final = msgspec.msgpack.Decoder(Gathered)
_NUMBER: Final = msgspec.msgpack.Decoder(int)


class Verb(IntEnum):
    """What a frame asks for: hold these records, write the so many that are held and answer, or forget them."""

    HOLD = 0
    WRITE = 1
    FORGET = 2


class Answer(msgspec.Struct, frozen=True):
    """To WRITE. paths: the files that hold the records. fault: the sentence of an infrastructure fault. error: the traceback
    of anything else. told: what was logged meanwhile, for whoever has a log."""

    paths: list[str] = []
    fault: str = ""
    error: str = ""
    told: list[dict[str, Any]] = []


_ANSWERS: Final = msgspec.msgpack.Decoder(Answer)


def frame(lane: int, verb: Verb, told: Gathered | int = 0) -> bytes:
    """What goes over the pipe. lane: whose records; each one's are written apart. told: records to hold, or how many to write."""
    return lane.to_bytes(_HEAD_BYTES - 1, "big") + bytes((verb,)) + _ENCODER.encode(told)


def answer_of(received: bytes) -> Answer:
    return _ANSWERS.decode(received)


def serve(asked: Connection, answered: Connection, write: Write, told: list[dict[str, Any]]) -> None:
    """Do what the frames ask for until the other end is closed. told: what the archive logs, emptied with each answer."""
    held: defaultdict[int, list[Gathered]] = defaultdict(list)
    while True:
        try:
            received = asked.recv_bytes()
        except EOFError:
            return
        lane, verb, rest = int.from_bytes(received[: _HEAD_BYTES - 1], "big"), received[_HEAD_BYTES - 1], memoryview(received)[_HEAD_BYTES:]
        if verb == Verb.HOLD:
            held[lane].append(_GATHERED.decode(rest))
            continue
        gathered = held.pop(lane, [])
        if verb == Verb.WRITE:
            answer = _written(write, gathered, _NUMBER.decode(rest), told)
            told.clear()
            answered.send_bytes(_ENCODER.encode(answer))


def _written(write: Write, gathered: list[Gathered], number: int, told: list[dict[str, Any]]) -> Answer:
    held = sum(map(len, gathered))
    if held != number:
        return Answer(error=f"{held} records came to be archived, of {number}")
    try:
        return Answer(write(gathered), told=list(told))
    except InfrastructureFault as fault:
        return Answer(fault=fault.sentence, told=list(told))
    except Exception:  # noqa: BLE001 - told to the job, which stops for it
        return Answer(error=traceback.format_exc(), told=list(told))


def _end_with(parent: int) -> None:
    """Whoever starts the job again after a kill must not find this process still writing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def main(asked: int, answered: int, parent: int, root: str) -> None:
    """Serve the job until it closes its end or ends itself. asked, answered: descriptors of pipes."""
    _end_with(parent)
    # A signal to the whole group asks the job to stop, which still needs this process for its last slice.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    told: list[dict[str, Any]] = []

    def tell(_: Any, method: str, event: Any) -> Any:
        told.append({"level": method, **event})
        raise structlog.DropEvent

    structlog.configure(processors=[tell])
    archive = Archive(root)
    pipes = Connection(asked, writable=False), Connection(answered, readable=False)
    serve(*pipes, lambda gathered: archive.write_groups(groups_of(gathered)), told)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
