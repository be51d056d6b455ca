"""Who holds a lease: a process, told from every other one, and known to be dead only where that is certain."""

import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import psutil
import re2

_NAMESPACE: Final = Path("/proc/self/ns/pid")
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_TEXT: Final = re2.compile(r"(\S+) pid ([0-9]{1,10}) ticks ([0-9]{1,20}) started ([0-9]{1,20})")
# Of seconds that are a time.
_DIGITS: Final = 11
# Of /proc/<pid>/stat, behind the name of the program: when the process started, in ticks since the machine did.
_STARTED_FIELD: Final = 19


def _machine() -> str:
    """Where pids mean what they mean here: host, start of its kernel, pid namespace. "" where that is not known.

    Machines made from one image share their name, and the first namespace of each has one number; the start is each one's own.
    """
    try:
        return f"{socket.gethostname()}/{_BOOT.read_text().strip()}/{_NAMESPACE.readlink()}"
    except OSError:
        return ""


def _ticks(pid: int) -> int | None:
    """When a process started, by a clock that nobody sets; None where there is no such process."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_STARTED_FIELD])
    except (FileNotFoundError, ProcessLookupError):
        return None


class Holder(NamedTuple):
    """A process that may hold a lease; told from another of the same number by when it started.

    ticks: by the clock of the machine's start, 0 where that is not known. started: in seconds since 1970, for people to read.
    """

    machine: str
    pid: int
    ticks: int
    started: int

    def __str__(self) -> str:
        return f"{self.machine} pid {self.pid} ticks {self.ticks} started {self.started}"

    @classmethod
    def of_this_process(cls) -> "Holder":
        pid = os.getpid()
        machine = _machine()
        ticks = (_ticks(pid) or 0) if machine else 0
        return cls(machine or socket.gethostname(), pid, ticks, int(psutil.Process().create_time()))


def readable_holder(text: str) -> str:
    """A holder for people: process, machine, and when it started; the text itself where it has another form."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return text
    started = datetime.fromtimestamp(int(found[4]), UTC).isoformat().replace("+00:00", "Z") if len(found[4]) <= _DIGITS else found[4]
    return f"process {found[2]} on {found[1].partition('/')[0]}, started {started}"


def is_dead_here(text: str) -> bool:
    """True for a holder on this machine whose process is no more; False where that cannot be known."""
    found = _TEXT.fullmatch(text)
    machine = _machine()
    if found is None or not machine or found[1] != machine or found[3] == "0":
        return False
    pid = int(found[2])
    try:
        if _ticks(pid) != int(found[3]):
            return True
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, OSError):
        return False
