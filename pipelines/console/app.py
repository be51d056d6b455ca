"""The application: one route a page, each with its JSON twin; what goes wrong is a page too."""

from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipelines.console import fleet, incidents, letter_pages, maps, objects, searching, tenants
from pipelines.console.auth import COOKIE, SESSION_S, Authenticator, Tokens
from pipelines.console.guard import Guard, RateLimit
from pipelines.console.openapi import describe
from pipelines.console.params import BadParameter, NotFound, Params
from pipelines.console.principal import Principal
from pipelines.console.render import html_response, json_response, link, refusal, render, wants_json
from pipelines.console.site import Page, Site
from transforms.io.faults import InfrastructureFault
from transforms.io.views.neo4j_source import SearchMissing

_LOG: Final = structlog.get_logger("console")
_STATIC: Final = Path(__file__).parent / "static"
_MOST_FORM_BYTES: Final = 8_192
_NOT_FOUND: Final = "There is no such thing here, or it is not yours to see."
_UNREADABLE: Final = "The graph cannot be read at the moment; the console's log says why. Try again in a moment."


class View(NamedTuple):
    """A page's address, the parameters that it has, and what makes it; says: what it is for, in one sentence."""

    path: str
    parameters: Sequence[str]
    make: Callable[..., Page]
    says: str


VIEWS: Final = (
    View("/", fleet.PARAMETERS, fleet.fleet_page, "The fleet: every tenant that you may see."),
    View("/search", searching.PARAMETERS, searching.search_page, "Objects by name, namespace, label, image, address or uid."),
    View("/deadletters", letter_pages.PARAMETERS, letter_pages.letters_page, "Dead letters by tenant and reason."),
    View("/deadletters/one", letter_pages.ONE_PARAMETERS, letter_pages.letter_page, "One dead letter, its fault marked."),
    View("/tenants/{client_id}", tenants.PARAMETERS, tenants.tenant_page, "One tenant: incidents, workloads, nodes, episodes."),
    View("/tenants/{client_id}/object", objects.PARAMETERS, objects.object_page, "One object with its neighbourhood and blast radius."),
    View("/tenants/{client_id}/incidents", incidents.LIST_PARAMETERS, incidents.incidents_page, "The incidents of a tenant."),
    View("/tenants/{client_id}/incident", incidents.PARAMETERS, incidents.incident_page, "One incident with its causes."),
    View("/tenants/{client_id}/map", maps.PARAMETERS, maps.map_page, "All objects of a tenant as boxes in boxes."),
)


def build_app(site: Site, authenticator: Authenticator, limit: RateLimit, hosts: frozenset[str] | None = None) -> Any:
    """The application. hosts: the names by which it may be asked for; None for any."""
    routes: list[Any] = [Route(view.path, _endpoint(site, view), methods=["GET"]) for view in VIEWS]
    routes += [
        Route("/openapi.json", lambda _request: json_response(describe(VIEWS)), methods=["GET"]),
        Route("/healthz", lambda _request: Response("ok\n", media_type="text/plain"), methods=["GET"]),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    if isinstance(authenticator, Tokens):
        routes += [Route("/login", _login(authenticator), methods=["GET", "POST"])]
        routes += [Route("/logout", _logout(authenticator), methods=["POST"])]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> Any:
        if site.letters is not None:
            site.letters.start()
        yield
        if site.letters is not None:
            site.letters.close()
        site.source.close()

    handlers: dict[Any, Any] = {404: _missing, 405: _wrong_method, Exception: _defect}
    inner = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    return Guard(inner, authenticator, limit, hosts)


def _endpoint(site: Site, view: View) -> Callable[[Request], Response]:
    """Runs in a thread: the driver waits for the server."""

    def endpoint(request: Request) -> Response:
        as_json = wants_json(request.headers)
        principal: Principal = request.state.principal
        where = {name: str(value) for name, value in request.path_params.items()}
        key = (view.path, *where.values(), str(request.query_params), principal, as_json)
        try:
            params = Params(request.query_params, view.parameters)
            answer: Response = site.answers.get(
                key, lambda: _answer(request, view.make(site, principal, *where.values(), params), as_json=as_json)
            )
        except BadParameter as error:
            return refusal(request.scope, 400, str(error))
        except NotFound:
            return refusal(request.scope, 404, _NOT_FOUND)
        except SearchMissing as fault:
            return refusal(request.scope, 503, fault.sentence)
        except InfrastructureFault as fault:
            _LOG.error("graph cannot be read", cause=fault.sentence)
            return refusal(request.scope, 503, _UNREADABLE, {"retry-after": "5"})
        return answer

    return endpoint


def _answer(request: Request, page: Page, *, as_json: bool) -> Response:
    if as_json:
        return json_response(page.content)
    told = {**page.content, "page": page, "principal": request.state.principal, "takes_tokens": request.state.takes_tokens}
    return html_response(render(page.template, **told))


def _login(tokens: Tokens) -> Any:
    async def login(request: Request) -> Response:
        to = request.query_params.get("to", "/")
        # A page of this console and of nobody else: what begins with two slashes leads elsewhere.
        to = to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"
        failed = False
        if request.method == "POST":
            secret = tokens.sign_in(await _token_of(request))
            if secret is not None:
                answer = RedirectResponse(to, 303)
                secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
                answer.set_cookie(COOKIE, secret, max_age=SESSION_S, httponly=True, samesite="strict", secure=secure)
                return answer
            failed = True
        page = render("login.html", to=to, failed=failed, principal=None, takes_tokens=True)
        return html_response(page, 401 if failed else 200)

    return login


async def _token_of(request: Request) -> str:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM_BYTES:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip()


def _logout(tokens: Tokens) -> Any:
    async def logout(request: Request) -> Response:
        tokens.sign_out(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse(link("/login"), 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return logout


async def _missing(request: Request, _error: Exception) -> Response:
    return refusal(request.scope, 404, _NOT_FOUND)


async def _wrong_method(request: Request, _error: Exception) -> Response:
    return refusal(request.scope, 405, "Pages are only read here: ask with GET.", {"allow": "GET, HEAD"})


async def _defect(request: Request, error: Exception) -> Response:
    _LOG.error("defect", path=request.url.path[:200], exc_info=error)
    return refusal(request.scope, 500, "The console met a defect at this page; its log has the place.")
