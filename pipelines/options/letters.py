"""Which dead letters are meant, and how they are replayed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

import typer

from pipelines.options.checks import names, one_of, usage_error
from pipelines.options.flow import SingleTenant, single_tenant_id, tenant_id
from pipelines.options.letter_place import DEFAULT_DEADLETTER_TOPIC, DeadletterPath, DeadletterTopic, letter_place
from transforms.records.dead_letters.selection import REASONS, Coordinates, LetterFilter, LetterPlace, parse_coordinates
from transforms.records.outcomes import NO_TENANT

CoordinatesArgument = Annotated[
    str, typer.Argument(metavar="TOPIC[PARTITION]@OFFSET", help="Where the original record lay, as logs and `list` write it; in quotes.")
]


@dataclass(frozen=True, slots=True)
class LetterOptions:
    """Where the letters are, and which of them are meant; filters may be repeated or comma-separated."""

    deadletter_topic: DeadletterTopic = DEFAULT_DEADLETTER_TOPIC
    deadletter_path: DeadletterPath = ""
    reason: Annotated[list[str] | None, typer.Option("--reason", help="Only letters with these reasons, comma-separated.")] = None
    client_id: Annotated[
        list[str] | None,
        typer.Option("--client_id", help="Only letters of these tenants, comma-separated; `-`: those that name no tenant."),
    ] = None
    topic: Annotated[list[str] | None, typer.Option("--topic", help="Only letters of records of these topics, comma-separated.")] = None

    record: Annotated[
        list[str] | None,
        typer.Option(
            "--record",
            help="Only the letter of the record that lay there, topic[partition]@offset as `list` writes it, in quotes; may be repeated.",
        ),
    ] = None

    def place(self) -> LetterPlace:
        """Where the letters are."""
        return letter_place(self.deadletter_topic, self.deadletter_path)

    def wanted(self) -> LetterFilter:
        """The filter that the options make; an error of use for a reason or tenant that cannot be."""
        return LetterFilter(
            _each("--reason", self.reason, lambda reason: one_of("--reason", reason, REASONS)),
            _each("--client_id", self.client_id, lambda client_id: client_id if client_id == NO_TENANT else tenant_id(client_id)),
            _each("--topic", self.topic, str),
            frozenset(coordinates(text) for text in self.record or ()),
        )


def _each(flag: str, given: Iterable[str] | None, check: Callable[[str], str]) -> frozenset[str]:
    """All that a flag names; one that names nothing, as an unset variable does, must not come to mean all."""
    texts = list(given or ())
    found = frozenset(check(name) for text in texts for name in names(text))
    if texts and not found:
        raise usage_error(f"{flag} names nothing; leave it out to mean all.")
    return found


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How letters are replayed."""

    single_tenant: SingleTenant = ""
    slice_bytes: Annotated[
        int, typer.Option("--slice_bytes", min=65536, help="Bytes of records that are held and replayed at once, at most.")
    ] = 32 * 1024 * 1024
    dry_run: Annotated[bool, typer.Option("--dry_run", help="List what would be replayed, and write nothing.")] = False

    again: Annotated[bool, typer.Option("--again", help="Also letters that an earlier replay marked as replayed.")] = False

    def tenant(self) -> str:
        return single_tenant_id(self.single_tenant)


def coordinates(text: str) -> Coordinates:
    """The coordinates that an argument names; an error of use where it has another form."""
    found = parse_coordinates(text)
    if found is None:
        raise usage_error(f"The coordinates are {text!r}; write them as topic[partition]@offset, as logs and `list` do, in quotes.")
    return found
