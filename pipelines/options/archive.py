"""Where raw records are kept, for backfills."""

from dataclasses import dataclass
from typing import Annotated

import typer

from pipelines.options.checks import usage_error
from transforms.io.archive.folders import is_reachable


@dataclass(frozen=True, slots=True)
class ArchiveOptions:
    """Where the archive is."""

    archive: Annotated[
        str,
        typer.Option(
            "--archive",
            envvar="ARCHIVE",
            help="Keep the raw records too, as Avro: a folder, or a URL of any filesystem that Beam knows. Nothing is kept without.",
        ),
    ] = ""

    def root(self) -> str:
        """Where it is, checked; "" for nowhere."""
        return archive_root(self.archive) if self.archive else ""


def archive_root(archive: str) -> str:
    """The archive that a flag names, checked; an error of use where it names none."""
    if not archive:
        raise usage_error("No archive is named: give its folder or URL with --archive or ARCHIVE.")
    return reachable("--archive", archive)


def reachable(flag: str, path: str) -> str:
    """The path of a flag; an error of use where it is the URL of a filesystem that is not here."""
    if not is_reachable(path):
        raise usage_error(f"{flag} is {path!r}; Beam has no filesystem for it here: install that extra of apache-beam, or name a folder.")
    return path
