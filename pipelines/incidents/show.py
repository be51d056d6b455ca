"""`incidents show`: one incident, explained."""

import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

import msgspec

from pipelines.incidents.list import incident_object
from pipelines.options.flow import tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import WIDE, console, exit_on_fault, print_json, say
from pipelines.output.known_tenant import must_be_known
from pipelines.output.readable import printable
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model import incident_cypher
from transforms.model.graph import TENANT_KEY


def show(neo4j: Neo4jOptions, iid: str, client_id: str, json: bool) -> None:
    """Print the explanation of the incident with this id; where several tenants' have it, of each."""
    tenant = tenant_id(client_id)
    target = neo4j.target()
    with exit_on_fault(), closing(Neo4jGraphStore(target)) as store:
        must_be_known(store, tenant)
        found = store.ask(incident_cypher.SHOW_INCIDENT, **{TENANT_KEY: tenant}, iid=iid)
    if not found:
        say(f"No incident has the id {iid}; `incidents list --state all` lists those that there are.")
        sys.exit(1)
    if json:
        print_json({"incidents": [_object(row) for row in found]})
        return
    for row in found:
        console(WIDE).print(
            printable("\n".join(lines_of(incident_object(row["props"]), subjects_of(row["episodes"])))), markup=False, highlight=False
        )


def _object(row: dict[str, Any]) -> dict[str, Any]:
    props = incident_object(row["props"])
    episodes = [incident_object(one) for one in row["episodes"]]
    return {**props, "causes": msgspec.json.decode(props.get("causes", "[]")), "affects": row["affects"], "evidence": episodes}


def subjects_of(episodes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The objects that episodes are about, by the keys of the episodes; those that are about none are left out."""
    return {one["eid"]: one["subject"] for one in episodes if one.get("subject")}


def lines_of(props: dict[str, Any], subjects: Mapping[str, str]) -> list[str]:
    """The explanation with the records that show it. subjects: as of `subjects_of`."""
    until = f", resolved {props['resolved']}" if props.get("resolved") else ""
    lines = [
        f"{props['iid']}  {props[TENANT_KEY]}  {props['state']} since {props['opened']}{until}",
        "",
        *str(props.get("text", "")).split("\n"),
    ]
    causes = msgspec.json.decode(props.get("causes", "[]"))
    sources = [
        f"  {point['finding']}: {subjects.get(of, of)} in {record}"
        for cause in causes[:1]
        for point in cause["why"]
        for of, record in point["sources"]
    ]
    rivals = [f"  {cause['rid']}: {cause['words']} ({cause['kind']}); {cause['do']}" for cause in causes[1:]]
    if sources:
        lines += ["", "Evidence, each with its record:", *dict.fromkeys(sources)]
    if rivals:
        lines += ["", "Other candidates:", *rivals]
    if props.get("truncated"):
        lines += ["", "More objects are concerned than an analysis looks at; this is a part of them."]
    return lines
