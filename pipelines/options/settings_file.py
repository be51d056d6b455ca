"""Settings of one's own, from a TOML file that a flag names; what is wrong with it is an error of use."""

import tomllib
from pathlib import Path
from typing import Any, Final

import typer

from pipelines.options.checks import usage_error

FILE_BYTES: Final = 1024 * 1024


def read_settings(flag: str, file: str) -> dict[str, Any]:
    """What the file declares; an error of use where it cannot be read, is too large or is no TOML."""
    try:
        with Path(file).open("rb") as opened:
            read = opened.read(FILE_BYTES + 1)
        text = read.decode()
    except OSError as error:
        raise file_error(flag, file, f"it cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise file_error(flag, file, "it is not UTF-8") from None
    if len(read) > FILE_BYTES:
        raise file_error(flag, file, f"it has more than {FILE_BYTES} bytes")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise file_error(flag, file, f"it is not TOML: {error}") from None


def file_error(flag: str, file: str, why: str) -> typer.BadParameter:
    return usage_error(f"{flag} names {file!r}, but {why}.")
