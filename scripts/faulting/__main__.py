"""Kill, refuse, lose and spoil what the job depends on, and compare its graphs with those of a clean run each time.

Runs on a Kafka and a Neo4j of its own, on free loopback ports. Chances are drawn from the seed: the same seed, fault
and round do the same to the same records, at about the same moment. Exit codes: 0 when everything holds, 1 otherwise,
2 for wrong usage.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from pipelines.output.logs import configure_logs
from runners.local.endpoints import STACK_DIR_VARIABLE
from runners.local.faults import StackFault
from runners.local.stack import LocalStack, free_stack_ports
from scripts.faulting.neighbours import AUTHORIZING
from scripts.faulting.suite import Result, Suite, as_objects, table_of
from scripts.faulting.table import FAULTS, Fault
from scripts.world import CHECKOUT

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    seed: Annotated[int, typer.Option("--seed", help="Decides the records and the moments.")] = 7,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this fault; may be repeated.")] = None,
    only_round: Annotated[int | None, typer.Option("--round", min=0, help="Only this round of each, to repeat it.")] = None,
    short: Annotated[bool, typer.Option("--short", help="One round of each fault, of a few seconds.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output instead of the table.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Say what the faults are, and end.")] = False,
) -> None:
    configure_logs("ERROR")
    faults = _chosen(only, short=short)
    if show:
        _print_faults(faults)
        return
    results = _run(faults, seed, only_round, short=short)
    if json:
        print(msgspec.json.encode({"seed": seed, "rounds": as_objects(results)}).decode())
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(table_of(faults, results))
    broken = [one for one in results if not one.holds]
    for one in broken:
        again = f"scripts/faults --seed {seed} --only {one.fault} --round {one.round}{' --short' if short else ''}"
        typer.echo(f"{one.fault} does not hold in round {one.round}: {one.broken}; repeat it with `{again}`.", err=True)
    sys.exit(1 if broken else 0)


def _chosen(only: list[str] | None, *, short: bool) -> list[Fault]:
    known = [fault.name for fault in FAULTS]
    for name in only or ():
        if name not in known:
            raise typer.BadParameter(f"--only is {name!r}; it must be one of {', '.join(known)}.")
    return [fault for fault in FAULTS if fault.name in (only or known) and (only or fault.in_short or not short)]


def _print_faults(faults: list[Fault]) -> None:
    table = Table("fault", "rounds", "what is done", "what must hold")
    for fault in faults:
        table.add_row(fault.name, str(fault.rounds), fault.done, fault.holds)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _run(faults: list[Fault], seed: int, only_round: int | None, *, short: bool) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="graph-faults-") as folder:
        stack = LocalStack(Path(folder), free_stack_ports(), CHECKOUT / ".stack" / "java", AUTHORIZING)
        # The job finds the stack there, as it finds the local one.
        os.environ[STACK_DIR_VARIABLE] = folder
        try:
            return list(Suite(stack, seed, short, only_round).results(faults, lambda line: print(line, file=sys.stderr, flush=True)))
        except StackFault as fault:
            typer.echo(str(fault), err=True)
            sys.exit(1)
        finally:
            stack.down()


if __name__ == "__main__":
    app()
