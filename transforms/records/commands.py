"""The commands that the bus may bring, in one table: decoding, execution and documentation derive from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from transforms.records.envelopes.types import Command
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason


class CommandTarget(Protocol):
    """What commands may ask of the graph's store."""

    def ensure_schema(self) -> None:
        """Make what is missing of constraints and indexes."""
        ...


@dataclass(frozen=True, slots=True)
class BusCommand:
    """A command: the word in its record, what it does, and how. act: safe to repeat, since the bus delivers at least once."""

    word: str
    help: str
    act: Callable[[CommandTarget], None]


BUS_COMMANDS: Final = (
    BusCommand("ENSURE_SCHEMA", "Create the constraints and indexes that are missing.", lambda store: store.ensure_schema()),
)
COMMAND_OF_WORD: Final = {command.word: command for command in BUS_COMMANDS}
_COMMAND: Final = msgspec.json.Decoder(Command)


def parse_command(text: bytes) -> Command:
    """A command that exists; Fault for any other."""
    command = _COMMAND.decode(text)
    if command.command not in COMMAND_OF_WORD:
        known = ", ".join(sorted(COMMAND_OF_WORD))
        raise Fault(Reason.UNKNOWN_COMMAND, f"the command {shown(command.command)} is none of {known}")
    return command
