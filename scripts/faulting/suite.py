"""Runs rounds of faults on one stack, and keeps what became of each."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from confluent_kafka import KafkaException
from neo4j.exceptions import DriverError, Neo4jError
from rich.table import Table

from runners.local.faults import StackFault
from runners.local.stack import LocalStack
from scripts.faulting.round import Round
from scripts.faulting.table import Fault
from scripts.world import Launch, World, spawn
from transforms.io.faults import InfrastructureFault, fault_sentence


@dataclass(frozen=True, slots=True)
class Result:
    """A round that is over. what: what was done when; broken: what does not hold, "" where all does."""

    fault: str
    round: int
    what: str
    broken: str
    seconds: float

    @property
    def holds(self) -> bool:
        return not self.broken


@dataclass(frozen=True, slots=True)
class Suite:
    """Faults with the rounds to do of each. only_round: that one alone, None for all."""

    stack: LocalStack
    seed: int
    short: bool
    only_round: int | None = None

    def results(self, faults: list[Fault], say: Callable[[str], None]) -> Iterator[Result]:
        """Every round in turn; what does not hold in one does not keep the next from being run."""
        for fault in faults:
            rounds = 1 if self.short else fault.rounds
            for number in range(rounds) if self.only_round is None else [self.only_round]:
                say(f"{fault.name}, round {number} of {rounds}: {fault.done}")
                result = self.run(fault, number)
                say(f"  {result.what or result.broken} ({result.seconds:.0f} s)")
                yield result

    def run(self, fault: Fault, number: int) -> Result:
        """One round, on a stack that is up and empty; the same seed, fault and number draw the same chances."""
        started = time.monotonic()
        what = broken = ""
        try:
            self.stack.up()
            what = run_round(fault, self.stack, self.seed, number, short=self.short)
        except (AssertionError, StackFault, subprocess.TimeoutExpired, KafkaException, Neo4jError, DriverError) as error:
            broken = str(error) or type(error).__name__
        except InfrastructureFault as error:
            broken = fault_sentence(error) or str(error)
        return Result(fault.name, number, what, broken, round(time.monotonic() - started, 1))


def run_round(fault: Fault, stack: LocalStack, seed: int, number: int, *, short: bool, launch: Launch = spawn) -> str:
    """Do one round in an empty world; what was done when. AssertionError where something does not hold."""
    world = World(stack, launch)
    try:
        world.clear()
        return fault.run(Round(world, Random(f"{seed}/{fault.name}/{number}"), number, short)).what  # noqa: S311 - no secret
    finally:
        world.close()


def table_of(faults: list[Fault], results: list[Result]) -> Table:
    """A row a fault."""
    table = Table("fault", "rounds", "what was done when", "holds, digests equal", "seconds")
    for fault in faults:
        of_it = [one for one in results if one.fault == fault.name]
        if of_it:
            good = sum(one.holds for one in of_it)
            whats = "\n".join(one.what or f"[red]round {one.round}: {one.broken}[/red]" for one in of_it)
            shown = "yes" if good == len(of_it) else f"[red]{good} of {len(of_it)}[/red]"
            table.add_row(fault.name, str(len(of_it)), whats, shown, f"{sum(one.seconds for one in of_it):,.0f}")
    return table


def as_objects(results: list[Result]) -> list[dict[str, Any]]:
    return [asdict(one) | {"holds": one.holds} for one in results]
