"""A tenant: what is wrong now, its workloads by namespace, what happened lately, its nodes. At most ten queries."""

from collections import Counter
from typing import Any, Final

from pipelines.console.fleet import LIVE_S, tenant_row
from pipelines.console.params import Params
from pipelines.console.principal import Principal
from pipelines.console.site import Page, Site
from transforms.model.reading import WORKLOADS
from transforms.planning.views.source import Brief, Counted, Listed

PARAMETERS: Final = ("ns",)
MOST_INCIDENTS: Final = 50
MOST_WORKLOADS: Final = 2_000
MOST_NODES: Final = 500
MOST_EPISODES: Final = 60
MOST_SICK: Final = 100


def tenant_page(site: Site, principal: Principal, client_id: str, params: Params) -> Page:
    """The open incidents first. ns: workloads of this namespace alone."""
    ns = params.text("ns", 253)
    tenant = site.tenant(principal, client_id)
    source = site.source
    incidents = source.incidents(client_id, is_open=True, root=None, most=MOST_INCIDENTS + 1)
    census = source.census(client_id)
    workloads = source.of_kinds(client_id, WORKLOADS, MOST_WORKLOADS + 1)
    nodes = source.of_kinds(client_id, ("Node",), MOST_NODES + 1)
    bare = source.bare_pods(client_id, MOST_WORKLOADS + 1)
    sick = source.sick(client_id, MOST_SICK + 1)
    letters = site.letters.now.groups_of({client_id}) if site.letters else []
    rejects = Counter({reason: sum(one.letters for one in letters if one.reason == reason) for reason in {one.reason for one in letters}})
    row = tenant_row(tenant, rejects) | {"objects": sum(one.number for one in census), "incidents": len(incidents[:MOST_INCIDENTS])}
    content: dict[str, Any] = {
        "tenant": row,
        "incidents": [incident_row(one) for one in incidents[:MOST_INCIDENTS]],
        "sick": sick[:MOST_SICK],
        "kinds": kinds_of(census),
        "namespaces": namespaces_of(census, workloads, bare, ns),
        "nodes": [{"object": one.object, "runs": one.runs} for one in nodes[:MOST_NODES]],
        "episodes": source.episodes(client_id, MOST_EPISODES),
        "happened": source.happened(client_id, 20),
        "ns": ns,
        "truncated": sorted(
            name
            for name, found, most in (
                ("incidents", incidents, MOST_INCIDENTS),
                ("workloads", workloads, MOST_WORKLOADS),
                ("pods without an owner", bare, MOST_WORKLOADS),
                ("nodes", nodes, MOST_NODES),
                ("ailing objects", sick, MOST_SICK),
            )
            if len(found) > most
        ),
    }
    return Page("tenant.html", client_id, content, LIVE_S)


def kinds_of(census: list[Counted]) -> list[dict[str, Any]]:
    """How many objects of each kind there are, and how many of them are ailing or only known from others."""
    found: dict[str, Counter[str]] = {}
    for one in census:
        of = found.setdefault(one.kind, Counter())
        of["number"] += one.number
        of["sick"] += one.number if one.sick else 0
        of["stubs"] += one.number if one.stub else 0
    return [{"kind": kind, "number": of["number"], "sick": of["sick"], "stubs": of["stubs"]} for kind, of in sorted(found.items())]


def namespaces_of(census: list[Counted], workloads: list[Listed], bare: list[Brief], ns: str) -> list[dict[str, Any]]:
    """Each namespace with its workloads that nothing else owns, ailing ones first."""
    sizes: Counter[str] = Counter()
    sick: Counter[str] = Counter()
    for one in census:
        sizes[one.ns] += one.number
        sick[one.ns] += one.number if one.sick else 0
    rows: dict[str, list[dict[str, Any]]] = {}
    for listed in workloads[:MOST_WORKLOADS]:
        if not listed.owned:
            rows.setdefault(listed.object.ns, []).append(
                {"object": listed.object, "wanted": listed.wanted, "ready": listed.ready, "image": listed.image}
            )
    for pod in bare[:MOST_WORKLOADS]:
        rows.setdefault(pod.ns, []).append({"object": pod, "wanted": None, "ready": None, "image": ""})
    names = [name for name in sizes if name and ns in ("", name)]
    return [
        {
            "ns": name,
            "number": sizes[name],
            "sick": sick[name],
            "workloads": sorted(rows.get(name, []), key=lambda row: (row["object"].ails is None, row["object"].rid)),
        }
        for name in sorted(names, key=lambda name: (-sick[name], name))
    ]


def incident_row(props: dict[str, Any]) -> dict[str, Any]:
    """An incident as lists show it; what it does not say is None."""
    names = ("iid", "state", "opened", "last", "resolved", "root", "kind", "confidence", "words", "title", "episodes", "truncated")
    members = props.get("members")
    return {**{name: props.get(name) for name in names}, "members": len(members) if isinstance(members, list) else members}
