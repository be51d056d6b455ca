"""Score the findings on labelled incidents: which object is named as the cause, and which kind of cause."""

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from runners.local.endpoints import read_endpoints
from scripts.scoring.cases import Case, cases, rows_of
from scripts.scoring.graph import analyses, told
from scripts.scoring.measure import Found, by_category, figures, mean_without_each, measure, without_own_rule
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.planning.causes.incidents import analyse
from transforms.planning.causes.table import KIND_OF_NAME
from transforms.planning.causes.world import Rows

_COLUMNS = ("cases", "A@1", "A@3", "A@5", "MRR", "type", "first_incident", "incidents")


def main(
    folder: Annotated[Path, typer.Argument(help="A folder of cases, each a folder with case.json and records.jsonl.gz.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    healthy: Annotated[bool, typer.Option("--healthy", help="The clusters work: any incident is a miss.")] = False,
    without: Annotated[list[str] | None, typer.Option("--without", help="Leave a finding out, by its name; may be repeated.")] = None,
    graph: Annotated[bool, typer.Option("--graph", help="Play the cases through Kafka, the job and Neo4j, too; both must agree.")] = False,
    number: Annotated[int, typer.Option("--cases", min=0, help="So many of the cases, evenly spread; 0: all.")] = 0,
    perturb: Annotated[
        int, typer.Option("--perturb", min=0, help="Seed: all names, ports, images and times are exchanged for others; 0: none.")
    ] = 0,
    each_rule_out: Annotated[bool, typer.Option("--each_rule_out", help="Also without each finding in turn; the mean.")] = False,
    own_rule_out: Annotated[bool, typer.Option("--own_rule_out", help="Also without the finding that named each case's cause.")] = False,
) -> None:
    """Score the findings on labelled incidents.

    A@k: the share of cases whose cause is among the first k objects. type: the first object and its leading finding are right.
    Exit code 0: scored; 1: an incident in a cluster that works, or a case that differs in Neo4j; 2: wrong use.
    """
    unknown = sorted(set(without or ()) - set(KIND_OF_NAME))
    if unknown:
        raise typer.BadParameter(f"--without {unknown[0]} is no finding; docs/causes.md lists them.")
    try:
        listed = cases(folder, perturb)
    except FileNotFoundError as error:
        raise typer.BadParameter(str(error)) from None
    if number:
        listed = listed[:: max(1, len(listed) // number)][:number]
    held = [(case, *rows_of(case)) for case in listed]
    found = [measure(case, client_id, rows, without or ()) for case, client_id, rows in held]
    if healthy:
        _tell_healthy(found, json)
        sys.exit(1 if any(one.incidents for one in found) else 0)
    result: dict[str, Any] = {"all": figures(found), **by_category(found)}
    if own_rule_out:
        result["own_rule_out"] = figures(without_own_rule(held, found))
    differing = _differing(held) if graph else []
    if each_rule_out:
        result |= mean_without_each(held, found)
    misses = [{"case": one.case.name, "cause": one.case.cause, "rank": one.rank, "why": one.why} for one in found if one.why]
    if json:
        same = {"differing_in_neo4j": differing} if graph else {}
        sys.stdout.write(msgspec.json.encode({"figures": result, "misses": misses, **same}).decode() + "\n")
    else:
        _tell(result, misses)
    if graph and not json:
        said = f": not {', '.join(differing)}" if differing else ""
        Console(width=140).print(f"{len(listed) - len(differing)} of {len(listed)} cases come to the same in Neo4j{said}.", markup=False)
    sys.exit(1 if differing else 0)


def _differing(held: list[tuple[Case, str, Rows]]) -> list[str]:
    """The cases that come to something else through Kafka, the job and Neo4j of the local stack."""
    local = read_endpoints()
    if local is None:
        raise typer.BadParameter("--graph needs the local stack; start it with scripts/stack up, and empty it with scripts/stack reset.")
    target = Neo4jTarget(local.neo4j_uri, local.neo4j_user, Secret(file=local.neo4j_password_file))
    found = analyses([case for case, *_ in held], local.kafka_brokers, target)
    each = zip(held, found, strict=True)
    return [case.name for (case, client_id, rows), one in each if told(one) != told(analyse(client_id, rows))]


def _tell(result: dict[str, Any], misses: list[dict[str, Any]]) -> None:
    table = Table("category", *_COLUMNS)
    for name, row in result.items():
        table.add_row(name, *(str(row.get(column, "")) for column in _COLUMNS))
    console = Console(width=140)
    console.print(table)
    for one in misses:
        console.print(f"{one['case']} ({one['cause']}): rank {one['rank'] or '-'}; {one['why']}", markup=False, highlight=False)


def _tell_healthy(found: list[Found], json: bool) -> None:
    if json:
        clusters = {one.case.name: {"incidents": one.incidents, "why": one.why} for one in found}
        sys.stdout.write(msgspec.json.encode({"clusters": clusters}).decode() + "\n")
        return
    for one in found:
        Console(width=140).print(f"{one.case.name}: {one.incidents} incidents {one.why}", markup=False, highlight=False)


if __name__ == "__main__":
    typer.run(main)
