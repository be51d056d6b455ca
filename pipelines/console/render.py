"""A page in the form that was asked for: HTML, or its JSON twin with the same content."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from jinja2 import Environment, PackageLoader, Undefined
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from pipelines.output.readable import printable, shown_age, shown_time

_JSON: Final = "application/json"
_WORDS: Final = ((0.85, "almost certain"), (0.6, "likely"), (0.4, "possible"))
_HEIGHTS: Final = {"FATAL": 36, "ERROR": 32, "WARNING": 24}


def link(path: str, **parameters: Any) -> str:
    """An address of the console; parameters that say nothing are left out."""
    said = {name: value for name, value in parameters.items() if value not in (None, "", [], (), False)}
    return quote(path) + (f"?{urlencode(said, doseq=True, quote_via=quote)}" if said else "")


def tenant_link(client_id: str, page: str = "", **parameters: Any) -> str:
    return link(f"/tenants/{client_id}{f'/{page}' if page else ''}", **parameters)


def _when(value: Any) -> str:
    """A time in UTC, of a moment or of milliseconds since 1970."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return shown_time(int(value)).replace("T", " ").partition(".")[0] + " UTC"
    return "" if value is None else str(value)


def _age(milliseconds: Any) -> str:
    return "-" if milliseconds is None else shown_age(int(milliseconds))


def _number(value: Any) -> str:
    return "-" if value is None or isinstance(value, Undefined) else f"{value:,}"


def _text(value: Any) -> str:
    """Text of the graph: nothing in it that hides or turns what stands beside it."""
    return printable(str(value))


def _sure(value: Any) -> str:
    """A confidence in words, never as a probability."""
    if not isinstance(value, int | float):
        return str(value or "")
    return next((word for least, word in _WORDS if value >= least), "weak")


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _marks(episodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Episodes on a line of time, a thousand units long, the oldest first; errors stand taller."""
    dated = sorted((one for one in episodes if isinstance(one.get("event_time"), datetime)), key=lambda one: str(one["event_time"]))
    if not dated:
        return []
    first, last = dated[0]["event_time"], dated[-1]["event_time"]
    span = (last - first).total_seconds() or 1.0
    return [
        {
            "at": one["event_time"],
            "x": 10 + round((one["event_time"] - first).total_seconds() / span * 976),
            "height": _HEIGHTS.get(one.get("severity") or "", 14),
            "severity": one.get("severity") or "UNKNOWN",
            "says": " ".join(str(one.get(name) or "") for name in ("reason", "subject")),
        }
        for one in dated
    ]


def _environment() -> Environment:
    # A property that a node has not is nothing to show, and no error.
    found = Environment(loader=PackageLoader("pipelines.console"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"when": _when, "age": _age, "number": _number, "text": _text, "sure": _sure, "pretty": _pretty, "marks": _marks}
    found.globals |= {"link": link, "tenant_link": tenant_link}
    return found


_PAGES: Final = _environment()
_ENCODER: Final = msgspec.json.Encoder(enc_hook=str, order="sorted")


def wants_json(headers: Mapping[str, str]) -> bool:
    """Whether the reader is a program: it prefers JSON, and names no HTML before it."""
    accepted = headers.get("accept", "")
    at = accepted.find(_JSON)
    html = accepted.find("text/html")
    return at >= 0 and (html < 0 or at < html)


def as_json(value: Any) -> Any:
    """Plain objects: named tuples by their names."""
    if isinstance(value, dict):
        return {str(name): as_json(one) for name, one in value.items() if not str(name).startswith("_")}
    if hasattr(value, "_asdict"):
        return as_json(value._asdict())
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(one) for one in value]
    return value


def render(template: str, **content: Any) -> bytes:
    return _PAGES.get_template(template).render(**content).encode("utf-8", "backslashreplace")


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(_ENCODER.encode(as_json(content)), status, {"vary": "accept, cookie", **(headers or {})}, _JSON)


def html_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, {"vary": "accept, cookie", **(headers or {})}, "text/html")


def refusal(scope: Scope, status: int, sentence: str, headers: Mapping[str, str] | None = None, *, sign_in: bool = False) -> Response:
    """An answer that is no page, in the form that was asked for."""
    if wants_json(Headers(scope=scope)):
        return json_response({"error": {"status": status, "message": sentence}}, status, headers)
    if sign_in and "text/html" in Headers(scope=scope).get("accept", ""):
        query = scope.get("query_string", b"").decode("latin-1")
        to = scope["path"] + (f"?{query}" if query else "")
        return Response(b"", 303, {"location": link("/login", to=to), **(headers or {})})
    page = render("error.html", status=status, sentence=sentence, principal=None, takes_tokens=False)
    return html_response(page, status, headers)
