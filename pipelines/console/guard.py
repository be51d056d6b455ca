"""What stands before every page: the host that was asked for, the reader's rate, who they are, headers and the access log."""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.console.auth import Authenticator
from pipelines.console.principal import Principal
from pipelines.console.render import refusal

_LOG: Final = structlog.get_logger("console")
_OPEN: Final = ("/static/", "/login", "/healthz")
SECURITY: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_MOST_KEYS: Final = 10_000


@dataclass
class RateLimit:
    """So many requests a second for each reader, and twice as many at once."""

    per_second: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def takes(self, key: str, now: float) -> bool:
        most = self.per_second * 2
        with self._lock:
            left, then = self._left.pop(key, (most, now))
            left = min(most, left + (now - then) * self.per_second)
            if len(self._left) >= _MOST_KEYS:
                del self._left[next(iter(self._left))]
            self._left[key] = (left - 1 if left >= 1 else left, now)
        return left >= 1


class _Asked:
    """The request as an authenticator sees it."""

    def __init__(self, scope: Scope) -> None:
        self.headers = Headers(scope=scope)
        self.peer = scope["client"][0] if scope.get("client") else ""

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def cookie(self, name: str) -> str:
        try:
            held = SimpleCookie(self.headers.get("cookie", "")).get(name)
        except CookieError:
            return ""
        return held.value if held else ""


class Guard:
    """Passes on what a known reader asks, as `request.state.principal`; everything else it answers itself.

    hosts: the names by which this server may be asked for; None for any. It keeps a page elsewhere from reading an open console
    by a name of its own that leads here.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator, limit: RateLimit, hosts: Collection[str] | None) -> None:
        self._app, self._authenticator, self._limit, self._hosts = app, authenticator, limit, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # An answer may be shared by several readers: its own list stays as it is.
                message = {**message, "headers": list(message["headers"])}
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "private, no-store")
            await send(message)

        asked = _Asked(scope)
        principal = self._authenticator.principal(asked)
        try:
            await self._answer(scope, receive, sending, asked, principal)
        finally:
            # Neither the query nor a header: they may hold what nobody should keep.
            _LOG.info(
                "request",
                method=scope["method"],
                path=scope["path"][:200],
                status=status,
                ms=round((time.monotonic() - began) * 1000, 1),
                reader=principal.name if principal else "",
                peer=asked.peer,
            )

    async def _answer(self, scope: Scope, receive: Receive, send: Send, asked: _Asked, principal: Principal | None) -> None:
        # Who signs in is nobody yet: their address counts.
        key = f"name {principal.name} {asked.peer}" if principal else f"peer {asked.peer}"
        if self._hosts is not None and _host(asked.header("host")) not in self._hosts:
            answer = refusal(scope, 421, "This console does not go by that name; ask for localhost, or start it with --allow_host.")
        elif not self._limit.takes(key, time.monotonic()):
            answer = refusal(scope, 429, "Too many requests; wait a second.", {"retry-after": "1"})
        elif principal is None and not scope["path"].startswith(_OPEN):
            answer = self._who(scope)
        else:
            scope.setdefault("state", {})["principal"] = principal
            scope["state"]["takes_tokens"] = self._authenticator.takes_tokens
            await self._app(scope, receive, send)
            return
        await answer(scope, receive, send)

    def _who(self, scope: Scope) -> Any:
        said = {"www-authenticate": "Bearer"} if self._authenticator.takes_tokens else {}
        return refusal(scope, 401, "Sign in to see this page.", said, sign_in=self._authenticator.takes_tokens)


def _host(header: str) -> str:
    name, colon, port = header.rpartition(":")
    return (name if colon and port.isdecimal() else header).lower()
