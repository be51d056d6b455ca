"""An incident: the sentence, its causes with their evidence, what was set aside, and the chain of effects as a picture."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from pipelines.console.params import NotFound, Params
from pipelines.console.pictures import chain_of
from pipelines.console.principal import Principal
from pipelines.console.site import Page, Site
from pipelines.console.tenants import incident_row
from transforms.planning.views.source import Brief, Edge, Props

PARAMETERS: Final = ("iid",)
LIST_PARAMETERS: Final = ("show",)
SHOWN: Final = ("open", "resolved", "all")
MOST_AFFECTED: Final = 150
MOST_EPISODES: Final = 200
_MOST_COLUMNS: Final = 5
CAUSE: Final = "cause"
RIVAL: Final = "further cause"
# Where a role stands that no relationship joins with the rest: from cause to symptom.
_COLUMN_OF_ROLE: Final = {CAUSE: 0, RIVAL: 0, "evidence": 1, "affected": 2}


def incidents_page(site: Site, principal: Principal, client_id: str, params: Params) -> Page:
    """The incidents of a tenant, open ones first, then the latest."""
    show = params.one_of("show", SHOWN)
    site.tenant(principal, client_id)
    found = site.source.incidents(client_id, is_open={"open": True, "resolved": False, "all": None}[show], root=None, most=501)
    content = {
        "tenant": {"client_id": client_id},
        "incidents": [incident_row(one) for one in found[:500]],
        "truncated": len(found) > 500,  # noqa: PLR2004 - as asked above
        "show": show,
    }
    return Page("incidents.html", f"Incidents · {client_id}", content | {"_shown": SHOWN}, live_s=10)


def incident_page(site: Site, principal: Principal, client_id: str, params: Params) -> Page:
    """The incident `iid`, also by a former id."""
    iid = params.text("iid", 128)
    site.tenant(principal, client_id)
    source = site.source
    props = source.incident(client_id, iid)
    if props is None:
        raise NotFound
    iid = props["iid"]
    affected = source.affected(client_id, iid, MOST_AFFECTED)
    links = source.causes_of_incident(client_id, iid, 200)
    causes = parsed_list(props.get("causes"))
    rids = _rids(props, affected, links, causes)
    briefs = {one.rid: one for one in source.briefs(client_id, rids)}
    edges = set(source.edges_between(client_id, sorted(briefs), 1_000))
    earlier = source.incidents(client_id, is_open=None, root=props.get("root"), most=21) if props.get("root") else []
    roles = {one.rid: role for role, one in affected}
    roles |= dict.fromkeys(_named(causes), RIVAL)
    roles |= {rid: CAUSE for rid in (props.get("root"),) if isinstance(rid, str)}
    content: dict[str, Any] = {
        "tenant": {"client_id": client_id},
        "incident": incident_row(props) | {"aliases": props.get("aliases") or [], "text": props.get("text") or "", "do": props.get("do")},
        "changed": parsed_list(props.get("changed")),
        "causes": causes,
        "aside": parsed_list(props.get("aside")),
        "affected": [{"role": role, "object": one} for role, one in affected],
        "links": [one | {"source": a, "target": b} for one, a, b in links],
        "episodes": source.episodes_of_incident(client_id, iid, MOST_EPISODES),
        "earlier": [incident_row(one) for one in earlier if one["iid"] != iid],
        "objects": sorted(briefs.values()),
        "relationships": sorted(edges),
    }
    picture = chain_of(briefs, roles, chain_columns(briefs, roles, edges), edges, client_id) if briefs else None
    return Page("incident.html", props.get("title") or f"Incident {iid}", content | {"_picture": picture, "_briefs": briefs}, live_s=10)


def parsed_list(value: Any) -> list[Any]:
    """What a property holds as JSON text, or as a list of JSON texts or plain texts."""
    values = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    found: list[Any] = []
    for one in values:
        parsed = _parsed(one)
        found += parsed if isinstance(parsed, list) else [parsed]
    return found


def _parsed(text: Any) -> Any:
    try:
        return msgspec.json.decode(text) if isinstance(text, str) and text[:1] in "[{" else text
    except (msgspec.DecodeError, RecursionError):
        return text


def _rids(props: Props, affected: Sequence[tuple[str, Brief]], links: Sequence[tuple[Props, str, str]], causes: Sequence[Any]) -> list[str]:
    """Every object that the incident names: its root, its causes, what it affects, and what a chain leads over."""
    found = [props.get("root"), *(one.rid for _, one in affected)]
    for link, a, b in links:
        found += [a, b, *(part for part in link.get("path") or () if isinstance(part, str))]
    found += _named(causes)
    named = dict.fromkeys(one for one in found if isinstance(one, str) and ":" in one)
    return list(named)[:MOST_AFFECTED]


def _named(causes: Sequence[Any]) -> list[str]:
    """The objects of the causes, in their order."""
    named = [one.get(name) for one in causes if isinstance(one, Mapping) for name in ("rid", "object", "cause")]
    return [one for one in named if isinstance(one, str)]


def chain_columns(briefs: Mapping[str, Brief], roles: Mapping[str, str], edges: set[Edge]) -> dict[str, int]:
    """How far each object is from a cause over the relationships shown; what none leads to stands where its role does."""
    near: dict[str, list[str]] = {}
    for edge in sorted(edges):
        near.setdefault(edge.source, []).append(edge.target)
        near.setdefault(edge.target, []).append(edge.source)
    columns = {rid: 0 for rid in sorted(briefs) if roles.get(rid) == CAUSE}
    queue = deque(columns)
    while queue:
        rid = queue.popleft()
        for other in near.get(rid, ()):
            if other in briefs and other not in columns:
                columns[other] = min(columns[rid] + 1, _MOST_COLUMNS)
                queue.append(other)
    return columns | {rid: _COLUMN_OF_ROLE.get(roles.get(rid, ""), 1) for rid in briefs if rid not in columns}
