"""Failure patterns of one's own, from a settings file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from pipelines.options.checks import usage_error
from transforms.records.failure_table import BadPattern, parse_families
from transforms.records.failures import Families

FILE_BYTES: Final = 1024 * 1024


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

    def families(self) -> Families:
        """What the file declares, nothing without one; an error of use where it cannot be read or used."""
        if not self.failure_patterns:
            return ()
        try:
            return parse_families(tomllib.loads(self._text()))
        except tomllib.TOMLDecodeError as error:
            raise self._error(f"it is not TOML: {error}") from None
        except BadPattern as error:
            raise self._error(str(error)) from None

    def _text(self) -> str:
        try:
            with Path(self.failure_patterns).open("rb") as file:
                read = file.read(FILE_BYTES + 1)
            text = read.decode()
        except OSError as error:
            raise self._error(f"it cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise self._error("it is not UTF-8") from None
        if len(read) > FILE_BYTES:
            raise self._error(f"it has more than {FILE_BYTES} bytes")
        return text

    def _error(self, why: str) -> typer.BadParameter:
        return usage_error(f"--failure_patterns names {self.failure_patterns!r}, but {why}.")
