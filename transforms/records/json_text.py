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
_WHOLE: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|(?<![0-9.eE+-])(?P<whole>-?[0-9]++)\.0++(?![0-9eE])', re.DOTALL)
# Sought among digits that are all alike, ten times faster than with a pattern: every record passes here.
_LONG_DIGITS: Final = b"0" * 19
_DIGITS_ALIKE: Final = bytes.maketrans(b"123456789", b"0" * 9)
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))
_DEPTH_CHANGE: Final = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_CONTROLS: Final = dict.fromkeys(range(0x20), " ")
_REPLACEMENT: Final = "\\ufffd"
# An escape; of a surrogate with the low one after it, so that pairs are told from single ones.
_ESCAPES: Final = re.compile(r"\\(?:u(?P<first>[0-9a-fA-F]{4})(?:\\u(?P<second>[dD][c-fC-F][0-9a-fA-F]{2}))?|(?P<other>.))", re.DOTALL)
_KNOWN_ESCAPES: Final = frozenset('"\\/bfnrt')
_INT64_DIGITS: Final = len(str(INTEGER_MIN))


def check_json_text(value: bytes, *, any_integer: bool = False) -> None:
    """Return for text within the limits; raise Fault for size, UTF-8, nesting or integer beyond them.

    any_integer: integers of any size are fine, as no number of such texts is kept.
    """
    if len(value) > RECORD_BYTES:
        raise Fault(
            Reason.LIMIT_EXCEEDED,
            f"the value has {len(value)} bytes, at most {RECORD_BYTES} are taken; split or trim it at the producer",
            parsed=False,
        )
    if not value.isascii():
        _check_utf8(value)
    may_nest = value.count(b"{") + value.count(b"[") > NESTING
    has_long = not any_integer and _has_long_digits(value)
    if may_nest or has_long:
        bare = _STRING.sub(b"", value)
        if may_nest:
            _check_nesting(bare)
        if has_long and _has_long_digits(bare):
            _check_integers(bare)


def without_strings(value: bytes) -> bytes:
    """JSON text without its strings."""
    return _STRING.sub(b"", value)


def with_whole_numbers(value: bytes) -> bytes:
    """JSON text with whole numbers written as such (3 for 3.0), as encoders write them that know floats alone."""
    return _WHOLE.sub(lambda found: found["whole"] or found.group(), value)


def mended_json(value: bytes) -> bytes:
    """The text with replacements for what is no text: bytes that are not UTF-8, lone surrogates, control characters, unknown escapes."""
    text = value.decode(errors="replace").translate(_CONTROLS)
    return _ESCAPES.sub(_mended_escape, text).encode()


def _mended_escape(found: re.Match[str]) -> str:
    first, second, other = found["first"], found["second"], found["other"]
    if first is None:
        return found.group() if other in _KNOWN_ESCAPES else f"\\\\{other}"
    if _is_high(first) and second is not None:
        return found.group()
    shown = _REPLACEMENT if _is_surrogate(first) else f"\\u{first}"
    return shown if second is None else shown + _REPLACEMENT


def _is_surrogate(digits: str) -> bool:
    return 0xD800 <= int(digits, 16) <= 0xDFFF  # noqa: PLR2004 - Unicode's range


def _is_high(digits: str) -> bool:
    return _is_surrogate(digits) and int(digits, 16) < 0xDC00  # noqa: PLR2004 - where the low ones begin


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
