"""`incidents explain`: what is wrong with an object now, what causes it, and what it causes."""

import sys
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from pipelines.options.checks import usage_error
from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import WIDE, console, exit_on_fault, print_json, say
from pipelines.output.known_tenant import must_be_known
from pipelines.output.readable import printable
from transforms.io.neo4j.incident_store import IncidentStore
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model import incident_cypher
from transforms.model.graph import TENANT_KEY
from transforms.model.identity import parse_rid
from transforms.planning.causes.explain import points, title_of
from transforms.planning.causes.incidents import Analysis
from transforms.planning.causes.score import words


def explain(neo4j: Neo4jOptions, target: str, client_id: str, json: bool) -> None:
    """Analyse the tenant's graph as it is, and print what concerns the object."""
    rid = parse_rid(target)
    if rid is None:
        raise usage_error(f"OBJECT is {target!r}; write kind:namespace:name, or kind::name for an object of the cluster.")
    tenant = tenant_id(client_id)
    place = neo4j.target()
    with exit_on_fault(), closing(Neo4jGraphStore(place)) as store:
        must_be_known(store, tenant)
        known = store.ask(incident_cypher.READ_OBJECT, **{TENANT_KEY: tenant}, rid=str(rid))
        if not known:
            say(f"The graph of {tenant} has no {rid}; check the kind, the namespace and the name.")
            sys.exit(1)
        analysis = IncidentStore(store).look(tenant)
    found = explained(analysis, str(rid))
    if json:
        print_json(found)
        return
    console(WIDE).print(
        printable("\n".join(lines_of(found, {one.eid: one.subject for one in analysis.world.episodes if one.subject}))),
        markup=False,
        highlight=False,
    )


def explained(analysis: Analysis, rid: str) -> dict[str, Any]:
    """What is wrong with the object or its workload, its causes, its effects, and its incident."""
    world = analysis.world
    top = world.top(rid)
    group = next((one for one in analysis.scored if one.rid in (rid, top)), None)
    name = group.rid if group else top
    causes = sorted({edge.cause for edge in analysis.effects if edge.effect == name})
    effects = sorted({edge.effect for edge in analysis.effects if edge.cause == name})
    incident = next((one for one in analysis.incidents if any(member.rid == name for member in one.members)), None)
    return {
        "object": rid,
        "counts_for": name,
        "how_sure": words(group.score) if group else "nothing is wrong",
        "findings": points(world, group) if group else [],
        "caused_by": [title_of(world, one) for one in causes],
        "causes": [title_of(world, one) for one in effects],
        "incident": incident.iid if incident else None,
        "cause_of_incident": title_of(world, incident.root.rid) if incident else None,
    }


def lines_of(found: dict[str, Any], subjects: Mapping[str, str]) -> list[str]:
    """The same in words. subjects: the objects that episodes are about, by the keys of the episodes."""
    if not found["findings"]:
        return [f"{found['object']}: nothing is wrong with it, as far as its graph shows."]
    lines = [f"{found['object']} ({found['how_sure']} to be a cause):"]
    for at, one in enumerate(found["findings"], 1):
        lines.append(f"{at}. {one['text']}")
        lines += dict.fromkeys(f"     {subjects.get(of, of)} in {record}" for of, record in one["sources"])
    for name, said in (("caused_by", "Caused by"), ("causes", "Causes")):
        if found[name]:
            lines.append(f"{said}: {', '.join(found[name])}.")
    if found["incident"]:
        lines.append(f"Incident {found['incident']}, of which {found['cause_of_incident']} is the cause.")
    return lines
