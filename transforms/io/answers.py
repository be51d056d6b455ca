"""What a server said to a question; a question that got no answer is an answer too."""

from typing import NamedTuple


class ProbeError(NamedTuple):
    """A question that was refused or not answered: what was said instead, and its code where it had one."""

    said: str
    code: str = ""
