"""The map of a tenant: boxes in boxes, as a picture for the script, as a table for everybody, and as JSON."""

from typing import Any, Final

from pipelines.console.params import Params
from pipelines.console.principal import Principal
from pipelines.console.site import Page, Site
from transforms.planning.views.boxes import MOST_OPEN, Frame, Kept, Tile, map_of, open_namespaces
from transforms.planning.views.source import Brief

PARAMETERS: Final = ("view", "open", "kind", "show", "as", "at")
VIEWS: Final = ("namespaces", "nodes")
STATES: Final = ("all", "sick")
FORMS: Final = ("picture", "table")
_MOST_LINES: Final = 8_000


def map_page(site: Site, principal: Principal, client_id: str, params: Params) -> Page:
    """All objects of a tenant: shown, folded or filtered, and counted either way.

    view: by namespaces or by nodes. open: namespaces to show object by object, where there are too many for all. kind, show: what is
    kept. as: the picture, or the same as a table. at: the object that is selected, a rid.
    """
    view, show, form = params.one_of("view", VIEWS), params.one_of("show", STATES), params.one_of("as", FORMS)
    asked, kinds, at = params.texts("open"), params.texts("kind"), params.text("at")
    site.tenant(principal, client_id)
    kept = Kept(frozenset(kinds), only_sick=show == "sick")
    census = site.source.census(client_id)
    opened = open_namespaces(census, asked, kept)
    every = {one.ns for one in census}
    wanted = None if opened >= every else opened
    most = sum(one.number for one in census if one.ns in opened)
    placed = site.source.objects(client_id, wanted, most + 1_000) if opened else []
    found = map_of(census, placed, opened, kept, by_node=view == "nodes")
    rids = [one.object.rid for one in found.tiles] + [one.object.rid for one in found.frames if one.object]
    edges = site.source.edges_between(client_id, rids, _MOST_LINES) if rids else []
    numbers = {rid: number for number, rid in enumerate(rids)}
    content: dict[str, Any] = {
        "tenant": {"client_id": client_id},
        "counts": found.counts,
        "size": {"width": found.width, "height": found.height},
        "boxes": [_frame(one) for one in found.frames],
        "objects": [_tile(one) for one in found.tiles],
        "relationships": [(numbers[one.source], one.type, numbers[one.target]) for one in edges],
        "view": view,
        "show": show,
        "as": form,
        "open": sorted(opened) if len(opened) < len(every) else [],
        "kind": sorted(kept.kinds),
        "at": at,
    }
    kinds_there = sorted({one.kind for one in census})
    more = {"_kinds": kinds_there, "_most": MOST_OPEN, "_namespaces": sorted(name for name in every if name), "_map": found}
    return Page("map.html", f"Map · {client_id}", content | more)


def _state(one: Brief) -> str:
    return "stub" if one.stub else one.ails or ""


def _frame(one: Frame) -> dict[str, Any]:
    """A box; `rid` and `state` where it stands for an object itself."""
    own = {"rid": one.object.rid, "state": _state(one.object), "label": one.object.label} if one.object else {}
    names = ("key", "title", "depth", "x", "y", "width", "height", "number", "sick", "folded")
    return {name: getattr(one, name) for name in names} | own


def _tile(one: Tile) -> dict[str, Any]:
    brief = one.object
    return {"rid": brief.rid, "kind": brief.kind, "ns": brief.ns, "name": brief.name, "state": _state(brief), "x": one.x, "y": one.y}
