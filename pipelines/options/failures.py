"""Failure patterns of one's own, from a settings file."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options.settings_file import file_error, read_settings

if TYPE_CHECKING:
    from transforms.records.logs.failures import Families


@dataclass(frozen=True, slots=True)
class FailureOptions:
    """Which lines of logs count as failures beside the declared ones."""

    failure_patterns: Annotated[
        str,
        typer.Option(
            "--failure_patterns",
            envvar="FAILURE_PATTERNS",
            help="TOML file with a table [families] of reasons and their RE2 patterns; lines of logs are looked at for them first.",
        ),
    ] = ""

    def families(self) -> "Families":
        """What the file declares, nothing without one; an error of use where it cannot be read or used."""
        if not self.failure_patterns:
            return ()
        # The table of patterns takes a third of a second to compile.
        from transforms.records.logs.failure_table import BadPattern, parse_families  # noqa: PLC0415

        try:
            return parse_families(read_settings("--failure_patterns", self.failure_patterns))
        except BadPattern as error:
            raise file_error("--failure_patterns", self.failure_patterns, str(error)) from None
