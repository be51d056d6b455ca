"""What a stack trace of Flink's comes down to. Pure."""

from typing import Final

import re2

from transforms.io.faults import fault_sentence

_LINE: Final = 300
_CAUSED_BY: Final = re2.compile(r"(?m)^\s*Caused by: (.+)$")
_PYTHON: Final = re2.compile(r"Traceback \(most recent call last\):\n((?:[ \t].*\n|\n)*)(\S.*)")
# Wrappers that repeat what they wrap, once or several times.
_WRAPPED: Final = re2.compile(r"^(?:[\w.$]+(?:Exception|Error|Throwable): )+")


def root_cause(trace: str) -> str:
    """One line: a fault's own sentence where a step raised one, else the Python exception that came first, else the last
    cause that Java names; "" for no trace.
    """
    sentence = fault_sentence(Exception(trace))
    if sentence is not None:
        return sentence
    python = _PYTHON.search(trace)
    if python is not None:
        return str(python.group(2))[:_LINE]
    causes = _CAUSED_BY.findall(trace)
    last = (causes[-1] if causes else trace.partition("\n")[0]).strip()
    return str(_WRAPPED.sub("", last) or last)[:_LINE]
