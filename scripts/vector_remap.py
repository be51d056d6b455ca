"""The remap program of Vector, generated from the job's own table of log families: `python -m scripts.vector_remap`.

It keeps every line that the job would keep, since the patterns are the same ones, rewritten for Vector's engine: RE2's classes are ASCII's,
those of Vector's engine are Unicode's. Lines that it keeps beyond those, the job filters.
"""

import sys
from collections.abc import Iterator
from typing import Final

from transforms.records.logs.failure_table import MATCHED_CHARACTERS
from transforms.records.logs.failures import FAMILIES
from transforms.records.logs.line_level import CANDIDATES
from transforms.records.redaction.rules import KEY_BLOCK, TOKENS

_CLASSES: Final = {"w": "0-9A-Za-z_", "d": "0-9", "s": r"\t\n\f\r "}
_BOUNDARY: Final = r"(?-u:\b)"
# The engine refuses patterns that are too large; that of one family is not.
_AT_ONCE: Final = 6

_HEAD: Final = """\
# `python -m scripts.vector_remap` generates this program from the job's own families; a test compares them.
# It keeps lines that report a failure, in the shape and under the key that the job reads, and drops the others.

line, error = to_string(.message)
if error != null { abort }
line = slice!(strip_ansi_escape_codes(line), 0, LENGTH)
"""
_TAIL: Final = """\

if !kept { abort }

pod = object(.kubernetes) ?? {}
uid = to_string(pod.pod_uid) ?? ""
if uid == "" { abort }

line = redact(line, filters: SECRETS)
client_id = get_env_var!("CLIENT_ID")
record = {
  "message": line,
  "stream": .stream,
  "timestamp": .timestamp,
  "kubernetes": {
    "pod_namespace": pod.pod_namespace,
    "pod_name": pod.pod_name,
    "container_name": pod.container_name,
    "pod_uid": uid
  }
}
. = record
.graph_key = client_id + "::" + uid
.graph_headers = {"client_id": client_id}
.
"""


def vrl_pattern(pattern: str) -> str:
    """An RE2 pattern that means the same to Rust's engine, or matches more."""
    found, at, in_class, begins = [], 0, False, 0
    while at < len(pattern):
        one, two = pattern[at], pattern[at : at + 2]
        if one == "\\" and len(two) > 1:
            found.append(_escape(two[1], in_class=in_class))
            at += 2
            continue
        # Within a class, a bracket would begin a nested one there.
        literal = {"'": r"\x27"} | ({"[": r"\["} if in_class else {})
        if one == "[" and not in_class:
            in_class, begins = True, at + (2 if pattern[at + 1 : at + 2] == "^" else 1)
        elif one == "]" and at > begins:
            in_class = False
        found.append(literal.get(one, one))
        at += 1
    return "".join(found)


def _escape(letter: str, *, in_class: bool) -> str:
    if letter == "b":
        return _BOUNDARY
    if letter == "z":
        return r"\z"
    if letter.lower() in _CLASSES:
        members = _CLASSES[letter.lower()]
        if letter.islower():
            return members if in_class else f"[{members}]"
        if not in_class:
            return f"[^{members}]"
    return {"'": r"\x27", '"': '"', "/": "/"}.get(letter, "\\" + letter)


def program() -> Iterator[str]:
    """The lines of the program."""
    yield _HEAD.replace("LENGTH", str(MATCHED_CHARACTERS)) + "\nkept = false"
    yield "# Levels ERROR and FATAL, as loggers write them."
    for at in range(0, len(CANDIDATES), _AT_ONCE):
        yield _test(CANDIDATES[at : at + _AT_ONCE])
    for reason, patterns in FAMILIES:
        yield f"# {reason}"
        yield _test(tuple(f"(?i:{pattern})" for pattern in patterns))
    secrets = ", ".join(f"r'{vrl_pattern(one)}'" for one in (TOKENS, KEY_BLOCK))
    yield _TAIL.replace("SECRETS", f"[{secrets}]").rstrip()


def _test(patterns: tuple[str, ...]) -> str:
    joined = "|".join(f"(?:{vrl_pattern(one)})" for one in patterns)
    return f"if !kept {{ kept = match(line, r'{joined}') }}"


if __name__ == "__main__":
    sys.stdout.write("\n".join(program()) + "\n")
