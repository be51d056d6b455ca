"""When this process last got something done for a tenant: one that is held up is no sign that the job is."""

import time
from typing import Final


class Pulse:
    """The time of the last sign of progress, by the monotonic clock; safe to use from several threads."""

    def __init__(self) -> None:
        self.at = time.monotonic()

    def beat(self) -> None:
        """Progress was made: a transaction went through, or it was found out that one cannot."""
        self.at = time.monotonic()


PROCESS: Final = Pulse()
