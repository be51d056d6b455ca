"""URLs without their logins and without the values of parameters that are secrets. Pure; takes time in proportion to the text.

RE2 finds the URLs, Python's own parser takes each apart. A URL may be a parameter of another, encoded once or more.
"""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import re2

from transforms.records.redaction.secret_names import is_secret_parameter

REDACTED: Final = "REDACTED"
# Of one text so many finds are looked at, of one URL so many characters and so many parameters that hold URLs; what follows goes as a
# whole. So time is bounded by a few finds, whatever a sender writes.
MOST_FINDS: Final = 1000
_URL_CHARACTERS: Final = 8 * 1024
_MOST_NESTED: Final = 32
_DEEPEST: Final = 4
_ENCODED_SEPARATOR: Final = r"%(?:25)*3A%(?:25)*2F%(?:25)*2F"
_URL: Final = re2.compile(rf"""(?i)[a-z][a-z0-9+.-]*(://|{_ENCODED_SEPARATOR}|:\\/\\/)[^\s"'<>`]*""")
# Parameters in what is no whole URL: the end of one that was cut, a query alone.
_PARAMETER: Final = re2.compile(r"""([?&;][^=&;?#\s"'<>]+=)([^&;#\s"'<>]+)""")
# `user:password@tcp(host)`, as drivers of MySQL have it.
_DRIVER: Final = re2.compile(r"""([\w.-]+:)[^\s"'/]+(@(?:tcp|udp|unix)\()""")
# A longer user without a password is taken for a token.
_USER_CHARACTERS: Final = 15
_ENDS: Final = "/?#"


def substituted(pattern: Any, replaced: Callable[[Any], str], text: str) -> str:
    """The text with each find replaced; what follows the last of `MOST_FINDS` is redacted as a whole."""
    parts: tuple[str, ...] = ()
    at = 0
    for number, found in enumerate(pattern.finditer(text)):
        start, end = found.span()
        if number >= MOST_FINDS:
            return "".join((*parts, text[at:start], REDACTED))
        parts += (text[at:start], replaced(found))
        at = end
    return "".join((*parts, text[at:])) if parts else text


def redact_url(text: str) -> str:
    """The text without logins and secret parameters in the URLs that it is or holds."""
    return _redacted(text, 0)


def _redacted(text: str, depth: int) -> str:
    if "://" in text or "%" in text or r":\/\/" in text:
        text = substituted(_URL, lambda found: _cleaned(found.group(), found.group(1), depth), text)
    if "@" in text and "(" in text:
        text = substituted(_DRIVER, lambda found: f"{found.group(1)}{REDACTED}{found.group(2)}", text)
    if "=" in text and ("?" in text or "&" in text or ";" in text):
        text = substituted(_PARAMETER, _parameter, text)
    return text


def _parameter(found: Any) -> str:
    opening, value = found.groups()
    return f"{opening}{REDACTED}" if value != REDACTED and is_secret_parameter(unquote(opening[1:-1])) else str(found.group())


def _cleaned(url: str, separator: str, depth: int) -> str:
    if len(url) > _URL_CHARACTERS:
        url = f"{url[:_URL_CHARACTERS].rpartition('&')[0] or url[: url.find(separator)] + separator}{REDACTED}"
    scheme, _, rest = url.partition(separator)
    if separator.startswith("%"):
        return _decoded(scheme, separator, rest, depth)
    netloc, rest = _netloc(rest)
    login, has_login, host = netloc.rpartition("@")
    return f"{scheme}{separator}{_login(login) if has_login else ''}{has_login}{host}{_after(rest, depth)}"


def _netloc(rest: str) -> tuple[str, str]:
    """The part with login, host and port, and what comes after it."""
    try:
        netloc = urlsplit(f"//{rest}").netloc
    except ValueError:
        netloc = ""
    if not rest.startswith(netloc) or not netloc:
        netloc = rest[: _end(rest)]
    if "@" not in netloc and "@" in rest and not _is_host(netloc):
        # A password with a slash: all up to the last such sign is the login.
        login, at, host = rest.rpartition("@")
        netloc = f"{login}{at}{host[: _end(host)]}"
    return netloc, rest[len(netloc) :]


def _end(rest: str) -> int:
    return min((at for sign in _ENDS if (at := rest.find(sign)) >= 0), default=len(rest))


def _is_host(netloc: str) -> bool:
    """Whether it is a host, with or without a port, and no beginning of a login."""
    _, colon, port = netloc.rpartition(":")
    return not colon or not port or port.isdecimal() or port.endswith("]")


def _login(login: str) -> str:
    user, colon, password = login.partition(":")
    if colon:
        return f"{user}:{REDACTED}" if password else login
    letters = user.replace("-", "").replace("_", "").replace(".", "")
    is_name = len(user) <= _USER_CHARACTERS and letters.isalpha() and letters.islower()
    return user if is_name or not user else REDACTED


def _after(rest: str, depth: int) -> str:
    """Path, query and fragment, parameter by parameter."""
    if "=" not in rest and "%" not in rest:
        return rest
    parts, begin, nested = [], 0, 0
    for at in [at for at, letter in enumerate(rest) if letter in "?&;#"] + [len(rest)]:
        item = rest[begin:at]
        name, sign, value = item.partition("=")
        if sign and value and value != REDACTED and is_secret_parameter(unquote(name)):
            item = f"{name}={REDACTED}"
        elif "%" in item or "://" in value:
            nested += 1
            item = _nested(name, sign, value, _DEEPEST if nested > _MOST_NESTED else depth)
        parts.append(f"{item}{rest[at : at + 1]}")
        begin = at + 1
    return "".join(parts)


def _nested(name: str, sign: str, value: str, depth: int) -> str:
    """A parameter whose value may be a URL itself."""
    if not sign:
        name, value = "", name
    if depth >= _DEEPEST:
        return f"{name}{sign}{REDACTED}"
    plain = unquote(value)
    cleaned = _redacted(plain, depth + 1)
    return f"{name}{sign}{value if cleaned == plain else quote(cleaned, safe='')}"


def _decoded(scheme: str, separator: str, rest: str, depth: int) -> str:
    """A URL that stands encoded in a text by itself; decoded where something is taken out of it."""
    text = f"{scheme}{separator}{rest}"
    if depth >= _DEEPEST:
        return REDACTED
    value, sign, after = text.partition("&")
    plain = unquote(value)
    cleaned = _redacted(plain, depth + 1)
    return f"{value if cleaned == plain else quote(cleaned, safe='')}{sign}{_after(after, depth)}"
