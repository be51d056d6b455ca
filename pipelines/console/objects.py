"""An object: what it is, what is around it as a picture and as a list, what goes with it, and what happened to it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from pipelines.console.letters import LetterBook
from pipelines.console.params import NotFound, Params
from pipelines.console.pictures import picture_of
from pipelines.console.principal import Principal
from pipelines.console.site import Page, Site
from pipelines.console.tenants import incident_row
from transforms.model.graph import BETWEEN_RESOURCES, PROM_TARGET, RESOURCE, RULE, TENANT_KEY
from transforms.planning.views.blast import Blast, blast_radius
from transforms.planning.views.neighbourhood import EACH, MOST_HOPS, Around, explore
from transforms.planning.views.source import Brief, EdgesAt, Props

TYPES: Final = tuple(one.type for one in BETWEEN_RESOURCES)
PARAMETERS: Final = ("rid", "hops", "type", "each")
MOST_EPISODES: Final = 50
_MOST_MEMBERS: Final = 2_000
_MOST_EACH: Final = 100
_HIDDEN: Final = frozenset({TENANT_KEY, "rid", "kind", "ns", "name", "status", "stub", *RESOURCE.bookkeeping})
# What the relationships of an object are called, seen from its source and from its target.
_SAYS: Final = {
    ("RUNS_ON", True): "runs on",
    ("RUNS_ON", False): "runs here",
    ("SELECTS", True): "selects",
    ("SELECTS", False): "selected by",
    ("CONTROLS", True): "owns",
    ("CONTROLS", False): "owned by",
    ("MOUNTS", True): "mounts",
    ("MOUNTS", False): "mounted by",
    ("USES", True): "uses",
    ("USES", False): "used by",
    ("ROUTES", True): "routes to",
    ("ROUTES", False): "routed from",
    ("CLAIMS", True): "is bound to",
    ("CLAIMS", False): "bound by",
    ("SCALES", True): "scales",
    ("SCALES", False): "scaled by",
    ("CALLS", True): "calls",
    ("CALLS", False): "called by",
}


def says(type_: str, *, outgoing: bool) -> str:
    return _SAYS.get((type_, outgoing), f"{type_.lower().replace('_', ' ')} {'to' if outgoing else 'from'}")


def object_page(site: Site, principal: Principal, client_id: str, params: Params) -> Page:
    """The object `rid`. hops: of the picture; type: relationships that it shows; each: neighbours of one node by one type."""
    rid, hops = params.text("rid"), params.number("hops", 1, 1, MOST_HOPS)
    types = params.some_of("type", TYPES) or TYPES
    each = params.number("each", EACH, 1, _MOST_EACH)
    tenant = site.tenant(principal, client_id)
    found = site.source.object(client_id, rid)
    if found is None:
        raise NotFound
    brief, props = found
    source = site.source
    around = explore(brief, hops, lambda rids: source.edges_at(client_id, rids, types, each))
    relations = source.edges_at(client_id, [rid], TYPES, _MOST_EACH)
    members = source.members_of_namespace(client_id, brief.name, _MOST_MEMBERS) if rid.startswith("namespace:") else []
    blast = blast_radius(brief, members, lambda rids, wanted, most: source.edges_at(client_id, rids, wanted, most))
    content: dict[str, Any] = {
        "tenant": {"client_id": client_id, "state": tenant.props.get("state") or "ACTIVE"},
        "object": brief,
        "properties": {name: value for name, value in sorted(props.items()) if name not in _HIDDEN},
        "status": _parsed(props.get("status")),
        "conditions": conditions(_parsed(props.get("status"))),
        "owners": source.owners(client_id, rid),
        "relations": [_relation(one) for one in relations],
        "around": around_json(around),
        "blast": blast_json(blast),
        "incidents": [incident_row(one) | {"role": role} for one, role in source.incidents_of(client_id, rid, 20)],
        "episodes": source.episodes_about(client_id, [rid], MOST_EPISODES),
        "targets": source.referrers_of(client_id, PROM_TARGET.label, rid, 20),
        "rules": source.referrers_of(client_id, RULE.label, rid, 20),
        "dead_letters": _letters(site.letters, client_id, brief),
        "hops": hops,
        "types": types if types != TYPES else (),
        "each": each,
    }
    drawn = {"_picture": picture_of(around, client_id, brief.rid), "_all_types": TYPES, "_most_hops": MOST_HOPS, "_blast": blast}
    return Page("object.html", f"{brief.label} · {client_id}", content | drawn)


def _parsed(status: Any) -> Any:
    """The status as an object; its text where it is none."""
    try:
        return msgspec.json.decode(status) if isinstance(status, str) else None
    except (msgspec.DecodeError, RecursionError):
        return status


def conditions(status: Any) -> list[dict[str, str]]:
    """The conditions of a status, as people look for them first."""
    held = status.get("conditions") if isinstance(status, Mapping) else None
    names = ("type", "status", "reason", "message", "lastTransitionTime")
    return [{name: str(one.get(name) or "") for name in names} for one in held or () if isinstance(one, Mapping)]


def _relation(one: EdgesAt) -> dict[str, Any]:
    return {
        "type": one.type,
        "outgoing": one.outgoing,
        "says": says(one.type, outgoing=one.outgoing),
        "number": one.number,
        "others": one.others,
    }


def around_json(around: Around) -> dict[str, Any]:
    """The picture's content: nodes with their signed distance, relationships, and what is folded away."""
    nodes = [one._asdict() | {"hops": around.columns[rid]} for rid, one in sorted(around.nodes.items())]
    return {"nodes": nodes, "relationships": around.edges, "folded": around.folds}


def blast_json(blast: Blast) -> dict[str, Any]:
    lost = [{"object": one.object, "hops": one.hops, "says": one.says, "because": one.because} for one in blast.lost]
    weakened = [{"object": one.object, "type": one.type, "lost": one.lost, "all": one.all} for one in blast.weakened]
    return {"lost": lost, "weakened": weakened, "truncated": blast.truncated}


def _letters(book: LetterBook | None, client_id: str, brief: Brief) -> list[dict[str, Any]]:
    """Dead letters whose detail names the object: few do, and no other trace of it is kept in the index."""
    entries: Sequence[Any] = book.now.entries_of({client_id}, "", client_id, 100_000) if book else ()
    named = [one for one in entries if brief.name and brief.name in one.detail]
    return [letter_row(one) for one in named[:20]]


def letter_row(one: Any) -> dict[str, Any]:
    """A dead letter as lists show it."""
    names = ("client_id", "reason", "step", "detail", "written_ms")
    return {"at": str(one.original), **{name: getattr(one, name) for name in names}}


def episode_row(props: Props) -> Props:
    return {name: value for name, value in props.items() if name not in ("seen", "hash", "ver", TENANT_KEY)}
