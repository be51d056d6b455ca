"""`tenants discover`: which tenants there may be, by the names of topics, consumer groups and their members."""

from contextlib import closing
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from pipelines.options.checks import usage_error
from pipelines.options.kafka import KafkaOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.tenants import RouteOptions
from pipelines.output.command import WIDE, console, exit_on_fault, print_json
from pipelines.output.readable import printable
from transforms.io.kafka.offsets import kafka_fault
from transforms.io.kafka.probe import Brokers, KafkaProbe
from transforms.io.kafka.target import KafkaTarget
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.records.tenancy.routes import BadPattern, check_pattern
from transforms.records.tenant_candidates import MEMBER_PATTERNS, Candidate, candidates


def discover(kafka: KafkaOptions, neo4j: Neo4jOptions, routes: RouteOptions, member_pattern: list[str] | None, json: bool) -> None:
    """Tenants that there may be, by the names of topics, consumer groups and their members, beside those that the graph knows."""
    patterns = (*_checked(member_pattern or []), *MEMBER_PATTERNS)
    target = kafka.target()
    with exit_on_fault():
        inquiry = KafkaProbe(target)
        _check_reached(target, inquiry)
        found = candidates(inquiry.names(), inquiry.all_groups(), routes.patterns(), patterns)
        with closing(Neo4jGraphStore(neo4j.target())) as store:
            known = set(store.tenants())
    if json:
        print_json({"candidates": {one.client_id: _object(one, known) for one in found}})
        return
    if not found:
        typer.echo("No topic, consumer group or member has a name that looks like a tenant's; see --topic_pattern and --member_pattern.")
        return
    table = Table("candidate", "in the graph", "seen in")
    for one in found:
        table.add_row(
            *(Text(printable(cell)) for cell in (one.client_id, "yes" if one.client_id in known else "no", "\n".join(one.seen_in)))
        )
    console(WIDE).print(table)


def _check_reached(target: KafkaTarget, inquiry: KafkaProbe) -> None:
    answer = inquiry.brokers()
    if not isinstance(answer, Brokers):
        said = "; ".join(fault.said for fault in answer) or "no answer"
        raise kafka_fault(target, said)


def _object(one: Candidate, known: set[str]) -> dict[str, Any]:
    return {"in_graph": one.client_id in known, "seen_in": list(one.seen_in)}


def _checked(patterns: list[str]) -> list[str]:
    try:
        return [check_pattern(pattern) for pattern in patterns]
    except BadPattern as error:
        raise usage_error(f"--member_pattern {error}.") from None
