"""Where raw records are kept, for backfills."""

from dataclasses import dataclass
from typing import Annotated

import typer


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
