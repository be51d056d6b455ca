"""`deadletters list` and `show`: what was rejected and why."""

import sys
from contextlib import closing

import typer

from pipelines.deadletters.report import letter_object, letter_text, list_object, print_list, unreadable_sentences
from pipelines.deadletters.walk import find_letter, index_letters
from pipelines.options.kafka import KafkaOptions
from pipelines.options.letter_place import letter_place
from pipelines.options.letters import LetterOptions, coordinates
from pipelines.output.command import INTERRUPTED_REPLAY, exit_on_fault, print_json
from transforms.io.dead_letters.index import LetterIndex
from transforms.io.dead_letters.reader import DeadLetterReader
from transforms.records.redaction.text import redact_text


def list_letters(kafka: KafkaOptions, where: LetterOptions, letters: int, json: bool) -> None:
    """Print the dead letters by tenant, reason and topic."""
    place, filter_ = where.place(), where.wanted()
    with (
        exit_on_fault(INTERRUPTED_REPLAY),
        closing(DeadLetterReader.open(None if place.path else kafka.target(), place)) as reader,
        closing(LetterIndex(filter_)) as index,
    ):
        index_letters(reader, index)
        groups, latest = list(index.groups()), list(index.latest(letters))
        if json:
            print_json(list_object(groups, latest, reader.unreadable))
        else:
            print_list(groups, latest, reader.unreadable)


def show(original: str, kafka: KafkaOptions, deadletter_topic: str, deadletter_path: str, json: bool) -> None:
    """Print one dead letter; exits with 1 where there is none of this record."""
    wanted, place = coordinates(original), letter_place(deadletter_topic, deadletter_path)
    target = None if place.path else kafka.target()
    with exit_on_fault(INTERRUPTED_REPLAY), closing(DeadLetterReader.open(target, place)) as reader:
        found, times, replayed_ms = find_letter(reader, wanted)
        if found is None:
            none = f"{place} holds no letter of {wanted}; `list --letters 20` tells of the last that it holds."
            typer.echo(" ".join([none, *unreadable_sentences(reader.unreadable)]), err=True)
            sys.exit(1)
        if json:
            print_json(letter_object(found, times, replayed_ms))
        else:
            typer.echo(redact_text(letter_text(found, times, replayed_ms)))
