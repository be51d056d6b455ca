"""What all commands share: a fault ends them with one sentence, tables fit where they are read, results are told to machines too."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec
import typer

from transforms.io.faults import NOTHING_COMMITTED, InfrastructureFault, WrongSetting
from transforms.records.redaction.text import redact_text
from transforms.records.redaction.tree import redact_tree

if TYPE_CHECKING:
    from rich.console import Console

# Columns of tables with more to tell.
WIDE: Final = 140
INTERRUPTED_REPLAY: Final = "Interrupted; what was replayed stays in the graph, and to replay it again changes nothing: run again."


@contextmanager
def exit_on_fault(interrupted: str = "", *, commits: bool = False) -> Iterator[None]:
    """A fault within the block ends the command with 1 and one sentence, one of a setting with 2.

    interrupted: the sentence for one that is interrupted; "" leaves that to Python. commits: the command commits offsets.
    """
    try:
        yield
    except InfrastructureFault as fault:
        say(fault.sentence if commits else fault.sentence.replace(NOTHING_COMMITTED, ""))
        sys.exit(2 if isinstance(fault, WrongSetting) else 1)
    except KeyboardInterrupt:
        if not interrupted:
            raise
        typer.echo(interrupted, err=True)
        sys.exit(1)


def console(width: int = 120) -> "Console":
    """Standard output, as wide as the terminal. width: in columns, where there is none."""
    from rich.console import Console  # noqa: PLC0415 - an error of use needs none

    return Console(width=None if sys.stdout.isatty() else width)


def print_json(found: Any) -> None:
    """One JSON object on standard output, without secrets."""
    typer.echo(msgspec.json.encode(redact_tree(msgspec.json.decode(msgspec.json.encode(found)))).decode())


def say(sentence: str) -> None:
    """A sentence on stderr, without secrets: it may tell what a server or a setting says."""
    typer.echo(redact_text(sentence), err=True)
