"""A check's verdict, and what a whole list of them says."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from transforms.io.faults import NOTHING_COMMITTED


class Status(StrEnum):
    """ok; warning: the job runs, but not well; failed: it could not run; skipped: there was nothing to judge."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Check(NamedTuple):
    """One line: what was looked at, how it is, what was found, and what to do where it is not well."""

    name: str
    status: Status
    said: str
    remedy: str = ""


def ok(name: str, said: str) -> Check:
    return Check(name, Status.OK, said)


def warning(name: str, said: str, remedy: str) -> Check:
    return Check(name, Status.WARNING, said, remedy)


def failed(name: str, said: str, remedy: str) -> Check:
    return Check(name, Status.FAILED, said, remedy)


def refused(name: str, sentence: str) -> Check:
    """failed, with the sentence of a fault: what follows its first semicolon is the remedy."""
    said, _, rest = sentence.replace(NOTHING_COMMITTED, "").partition("; ")
    return failed(name, said, rest[:1].upper() + rest[1:] or "Fix what it names.")


def skipped(name: str, why: str) -> Check:
    return Check(name, Status.SKIPPED, why)


_BY_WEIGHT: Final = (Status.FAILED, Status.WARNING, Status.OK)


def overall(checks: Iterable[Check]) -> Status:
    """failed where one check is, else warning where one is, else ok; what was skipped counts for nothing."""
    found = {check.status for check in checks}
    return next((status for status in _BY_WEIGHT if status in found), Status.OK)
