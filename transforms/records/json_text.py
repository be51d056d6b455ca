"""Holding JSON text to the contract's limits before it is decoded.

Fields that the graph does not use are skipped by the decoder, unread; these checks look at all of the text, so
that a record is accepted or rejected for what it is, not for what today's graph takes from it.
"""

import re
from itertools import accumulate
from typing import Final

from transforms.model.limits import INTEGER_MAX, INTEGER_MIN, NESTING, RECORD_BYTES
from transforms.records.rejects import Fault, Reason

_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
# Whole numbers of 19 digits and more; neither the digits of a fraction nor those of an exponent.
_LONG_INTEGER: Final = re.compile(rb"(?<![0-9.eE+-])-?[0-9]{19,}+(?![.eE])")
# Sought among digits that are all alike, ten times faster than with a pattern: every record passes here.
_LONG_DIGITS: Final = b"0" * 19
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"0" * 9)
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))
_DEPTH_CHANGE: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_INT64_DIGITS: Final = len(str(INTEGER_MIN))


def check_json_text(value: bytes) -> None:
    """Return for text within the limits; raise Fault for size, UTF-8, nesting or integer beyond them."""
    if len(value) > RECORD_BYTES:
        raise Fault(
            Reason.LIMIT_EXCEEDED,
            f"the value has {len(value)} bytes, at most {RECORD_BYTES} are taken; split or trim it at the producer",
            parsed=False,
        )
    if not value.isascii():
        _check_utf8(value)
    may_nest = value.count(b"{") + value.count(b"[") > NESTING
    if may_nest or _has_long_digits(value):
        bare = _STRING.sub(b"", value)
        if may_nest:
            _check_nesting(bare)
        if _has_long_digits(bare):
            _check_integers(bare)


def _check_utf8(value: bytes) -> None:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault(Reason.NOT_JSON, f"the value is not UTF-8 at byte {error.start}; JSON must be", parsed=False) from None


def _has_long_digits(text: bytes) -> bool:
    return _LONG_DIGITS in text.translate(_DIGITS_ALIKE)


def _check_nesting(bare: bytes) -> None:
    """`bare` is the text without its strings; a stray closing bracket is the decoder's to report."""
    brackets = bare.translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_DEPTH_CHANGE.__getitem__, brackets)), default=0) > NESTING:
        raise Fault(Reason.LIMIT_EXCEEDED, f"the value nests deeper than {NESTING} levels; flatten it at the producer", parsed=False)


def _check_integers(bare: bytes) -> None:
    for match in _LONG_INTEGER.finditer(bare):
        digits = match.group()
        if len(digits) > _INT64_DIGITS or not INTEGER_MIN <= int(digits) <= INTEGER_MAX:
            raise Fault(
                Reason.LIMIT_EXCEEDED,
                f"the integer {digits[:32].decode()} does not fit 64 bits; send it as a string",
                parsed=False,
            )
