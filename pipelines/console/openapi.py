"""The description of the JSON twins, generated from the table of pages."""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from pipelines.console import fleet, incidents, maps
from pipelines.console.objects import TYPES
from pipelines.console.params import MOST_TEXT
from transforms.planning.views.neighbourhood import MOST_HOPS
from transforms.records.dead_letters.selection import REASONS

_TENANT: Final = {"type": "string", "pattern": "^[a-z0-9][a-z0-9.-]{0,62}$"}


class Described(Protocol):
    @property
    def path(self) -> str: ...

    @property
    def parameters(self) -> Any: ...

    @property
    def says(self) -> str: ...


def _text(most: int = MOST_TEXT) -> dict[str, Any]:
    return {"type": "string", "maxLength": most}


def _one_of(allowed: Iterable[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(allowed)}


def _several(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "maxItems": 100, "uniqueItems": True}


# By page and parameter; parameters that several pages have alike stand under "".
_SCHEMAS: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("/", "sort"): _one_of(fleet.SORTS),
    ("/", "q"): _text(100),
    ("/", "state"): _one_of(fleet.STATES),
    ("/search", "q"): _text(128),
    ("/search", "tenant"): _text(63),
    ("/deadletters", "tenant"): _text(63),
    ("/deadletters", "reason"): _one_of(("any", *REASONS)),
    ("/deadletters/one", "at"): {"type": "string", "maxLength": 300, "pattern": r"^[a-zA-Z0-9._-]{1,200}\[[0-9]{1,9}\]@[0-9]{1,18}$"},
    ("/tenants/{client_id}", "ns"): _text(253),
    ("/tenants/{client_id}/object", "hops"): {"type": "integer", "minimum": 1, "maximum": MOST_HOPS},
    ("/tenants/{client_id}/object", "each"): {"type": "integer", "minimum": 1, "maximum": 100},
    ("/tenants/{client_id}/object", "type"): _several(_one_of(TYPES)),
    ("/tenants/{client_id}/incidents", "show"): _one_of(incidents.SHOWN),
    ("/tenants/{client_id}/incident", "iid"): _text(128),
    ("/tenants/{client_id}/map", "view"): _one_of(maps.VIEWS),
    ("/tenants/{client_id}/map", "show"): _one_of(maps.STATES),
    ("/tenants/{client_id}/map", "as"): _one_of(maps.FORMS),
    ("/tenants/{client_id}/map", "open"): _several(_text()),
    ("/tenants/{client_id}/map", "kind"): _several(_text()),
}
_NEEDED: Final = frozenset({"rid", "iid", "at"})
_ANSWERS: Final = {
    "200": "the page's content",
    "400": "a parameter that cannot be used",
    "401": "nobody who may see this",
    "404": "no such thing, or not yours to see",
    "421": "a name by which the console does not go",
    "429": "too many requests",
    "503": "the graph cannot be read at the moment",
}
_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["status", "message"],
            "properties": {"status": {"type": "integer"}, "message": {"type": "string"}},
        }
    },
}


def describe(views: Iterable[Described]) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "graph-build console",
            "version": "1",
            "description": "Every page as JSON: send `Accept: application/json`. Nothing can be written.",
        },
        "paths": {view.path: {"get": _operation(view)} for view in views},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}, "schemas": {"Error": _ERROR}},
        "security": [{"token": []}, {}],
    }


def _operation(view: Described) -> dict[str, Any]:
    parameters = [_parameter(view.path, name) for name in view.parameters]
    if "{client_id}" in view.path:
        parameters.insert(0, {"name": "client_id", "in": "path", "required": True, "schema": _TENANT})
    return {
        "summary": view.says,
        "operationId": view.path.strip("/").replace("/", "_").replace("{client_id}", "one") or "fleet",
        "parameters": parameters,
        "responses": {status: _response(status, says) for status, says in _ANSWERS.items()},
    }


def _parameter(path: str, name: str) -> dict[str, Any]:
    schema = _SCHEMAS.get((path, name), _text())
    needed = name in _NEEDED and (path, name) != ("/tenants/{client_id}/map", "at")
    return {"name": name, "in": "query", "required": needed, "schema": schema}


def _response(status: str, says: str) -> dict[str, Any]:
    schema = {"type": "object"} if status == "200" else {"$ref": "#/components/schemas/Error"}
    return {"description": says, "content": {"application/json": {"schema": schema}}}
