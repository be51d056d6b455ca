"""Where dead letters lie: on a topic, or in files instead."""

from typing import Annotated, Final

import typer

from pipelines.options.archive import reachable
from transforms.records.dead_letters.selection import LetterPlace

DEFAULT_DEADLETTER_TOPIC: Final = "graph.deadletter"

DeadletterTopic = Annotated[
    str, typer.Option("--deadletter_topic", envvar="DEADLETTER_TOPIC", help="The topic of rejects; the job makes it where it is missing.")
]
DeadletterPath = Annotated[
    str,
    typer.Option(
        "--deadletter_path",
        envvar="DEADLETTER_PATH",
        help="Rejects in Avro files instead: a folder, or a URL of any filesystem that Beam knows.",
    ),
]


def letter_place(topic: str, path: str) -> LetterPlace:
    """Where they lie; an error of use for a path that nobody can reach."""
    return LetterPlace(topic, reachable("--deadletter_path", path) if path else "")
