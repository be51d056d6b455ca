"""How a reader proves who they are: by nobody (loopback alone), by a token, or by a header of a trusted proxy."""

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from pipelines.console.principal import Principal, principal_of

LEAST_TOKEN: Final = 16
SESSION_S: Final = 12 * 3600
COOKIE: Final = "graph_console"
_MOST_SESSIONS: Final = 10_000
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadTokens(ValueError):
    """A token file that cannot be used; the message says why, in one sentence, and holds no token."""


class Request(Protocol):
    """What of a request tells who asks."""

    @property
    def peer(self) -> str: ...

    def header(self, name: str) -> str: ...

    def cookie(self, name: str) -> str: ...


class Authenticator(Protocol):
    """Who asks; None for nobody who may see anything. takes_tokens: whether there is a page to sign in."""

    @property
    def takes_tokens(self) -> bool: ...

    def principal(self, request: Request) -> Principal | None: ...


class Anyone:
    """Everybody who reaches this address sees every tenant; for loopback alone."""

    takes_tokens = False

    def principal(self, request: Request) -> Principal | None:
        return Principal("local")


def read_tokens(path: str) -> dict[str, bytes]:
    """From lines `NAME TOKEN` to digests of tokens by name; empty lines and those that begin with # mean nothing."""
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        raise BadTokens(f"--token_file {path} cannot be read ({said}).") from None
    found: dict[str, bytes] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or len(words[1]) < LEAST_TOKEN:  # noqa: PLR2004 - a name and a token
            raise BadTokens(f"--token_file {path}, line {number}, must be NAME TOKEN, the token of {LEAST_TOKEN} characters or more.")
        if words[0] in found:
            raise BadTokens(f"--token_file {path}, line {number}, names {words[0]} a second time.")
        found[words[0]] = _digest(words[1])
    if not found:
        raise BadTokens(f"--token_file {path} holds no token; each line is NAME TOKEN.")
    return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


@dataclass
class Tokens:
    """Bearer tokens: in the header `Authorization`, or once on the sign-in page, which gives a session cookie.

    A session ends after twelve hours and with the process. Nothing tells a wrong token from one that sees no tenant.
    """

    digests: Mapping[str, bytes]
    tenants: Mapping[str, frozenset[str] | None]
    takes_tokens: bool = True
    _sessions: dict[bytes, tuple[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def principal(self, request: Request) -> Principal | None:
        scheme, _, token = request.header("authorization").partition(" ")
        if scheme.lower() == "bearer":
            return self._known(self._name(token.strip()))
        held = request.cookie(COOKIE)
        return self._known(self._of_session(held)) if held else None

    def sign_in(self, token: str) -> str | None:
        """The secret of a new session; None for a token that nobody has."""
        name = self._name(token)
        if self._known(name) is None:
            return None
        secret = secrets.token_urlsafe(32)
        with self._lock:
            now = time.monotonic()
            for key in [key for key, (_, until) in self._sessions.items() if until <= now]:
                del self._sessions[key]
            if len(self._sessions) >= _MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[_digest(secret)] = (name, now + SESSION_S)
        return secret

    def sign_out(self, secret: str) -> None:
        with self._lock:
            self._sessions.pop(_digest(secret), None)

    def _name(self, token: str) -> str:
        """Compared with every token, so that the time tells nothing of where a match is."""
        digest = _digest(token)
        matches = [name for name, known in self.digests.items() if hmac.compare_digest(digest, known)]
        return matches[0] if matches else ""

    def _of_session(self, secret: str) -> str:
        with self._lock:
            name, until = self._sessions.get(_digest(secret), ("", 0.0))
        return name if time.monotonic() < until else ""

    def _known(self, name: str) -> Principal | None:
        return principal_of([name], self.tenants) if name else None


@dataclass(frozen=True)
class TrustedHeader:
    """The name that a proxy has proven, in a header; believed from the proxy's own addresses alone.

    groups: a second header with further names, comma-separated; "" for none.
    """

    proxies: Sequence[Network]
    user: str
    groups: str
    tenants: Mapping[str, frozenset[str] | None]
    takes_tokens: bool = False

    def principal(self, request: Request) -> Principal | None:
        try:
            peer = ipaddress.ip_address(request.peer)
        except ValueError:
            return None
        name = request.header(self.user).strip()
        if not name or not any(peer in network for network in self.proxies):
            return None
        groups = request.header(self.groups).split(",") if self.groups else []
        return principal_of([name, *(group.strip() for group in groups if group.strip())], self.tenants)
