"""A limit on how long a call may take that cannot be interrupted."""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Overdue(Exception):
    """The call had not returned in time. It may still go on: what it works with must not be used again."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what the call returns and raise what it raises; Overdue where it has done neither after so many seconds.

    The call is made in a thread that does not keep the process from ending.
    """
    returned: list[T] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            returned.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread of whoever asked
            raised.append(error)

    thread = threading.Thread(target=run, name="deadline", daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not returned:
        raise Overdue
    return returned[0]
