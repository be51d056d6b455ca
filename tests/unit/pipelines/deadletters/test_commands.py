"""Options that name letters, usage errors of the commands, and letters made readable."""

import json
import re
from collections import Counter
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from pipelines.deadletters.commands import app
from pipelines.deadletters.replay import ask_for_all
from pipelines.deadletters.report import letter_object, letter_text, list_object, print_list, unreadable_sentences
from pipelines.deadletters.walk import later, replayed_ms
from pipelines.options.letters import LetterOptions, ReplayOptions, coordinates
from pipelines.options.tenants import RouteOptions
from pipelines.output.readable import printable, readable_json, readable_text, shown_time
from tests.support.wire import AT_MS, EVENTS, RESOURCES
from transforms.io.dead_letters.gaps import encode_gap
from transforms.io.dead_letters.index import LetterEntry, LetterGroup
from transforms.io.dead_letters.reader import Posted
from transforms.io.dead_letters.writer import encode_deadletter
from transforms.io.kafka.offsets import OffsetGap
from transforms.records.dead_letters.letters import Wanted, decode_letter, replay_mark
from transforms.records.dead_letters.selection import Coordinates, LetterFilter, LetterPlace
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Reason, Reject, Step

KAFKA = ["--kafka_brokers=127.0.0.1:1"]


@pytest.fixture
def unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs are the process's: they must not stay bound to the stream of a command that has ended."""
    monkeypatch.setattr("pipelines.deadletters.commands.configure_logs", lambda _level: None)


def test_filters_may_be_repeated_and_comma_separated() -> None:
    options = LetterOptions(reason=["bad_time, bad_key", "offsets_lost"], client_id=["af-10,-"], topic=["a", "b"])

    assert options.wanted() == LetterFilter(
        frozenset({"bad_time", "bad_key", "offsets_lost"}), frozenset({"af-10", "-"}), frozenset({"a", "b"})
    )
    assert LetterOptions().wanted() == LetterFilter()
    assert LetterOptions().wanted().means_all


def test_single_records_are_meant_by_their_coordinates() -> None:
    filter_ = LetterOptions(record=["a.b[1]@2", "a.b[0]@7"]).wanted()

    assert filter_.originals == {Coordinates("a.b", 1, 2), Coordinates("a.b", 0, 7)}
    assert filter_.matches("af-10", "bad_time", "a.b", 1, 2)
    assert not filter_.matches("af-10", "bad_time", "a.b", 1, 7)
    assert not filter_.means_all


class Terminal:
    """Standard input of a person."""

    def isatty(self) -> bool:
        return True


def test_a_replay_of_all_letters_is_asked_about_at_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(typer, "confirm", lambda text, **_more: asked.append(text))

    ask_for_all(LetterPlace("letters"), yes=False)
    assert asked == [], "there is nobody to ask"

    monkeypatch.setattr("sys.stdin", Terminal())
    ask_for_all(LetterPlace("letters"), yes=True)
    assert asked == []
    ask_for_all(LetterPlace("letters"), yes=False)
    assert asked == ["No filter is given: replay all letters of letters?"]


def test_coordinates_of_an_argument() -> None:
    assert coordinates("a.b[1]@2") == Coordinates("a.b", 1, 2)


def test_a_replay_is_single_tenant_only_where_told() -> None:
    assert (ReplayOptions().tenant(), ReplayOptions(single_tenant="af-10").tenant()) == ("", "af-10")
    assert RouteOptions(legacy_separator_topics="a,b").legacy_topics() == {"a", "b"}
    with pytest.raises(typer.BadParameter, match="--single_tenant is 'Node'"):
        ReplayOptions(single_tenant="Node").tenant()


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "a[0]"], "The coordinates are 'a[0]'; write them as topic[partition]@offset"),
        (["show"], "Missing argument"),
        (["list", "--reason=bad"], "--reason is 'bad'; it must be one of not_json, "),
        (["list", "--client_id=Node"], "--client_id is 'Node'"),
        (["list", "--client_id="], "--client_id names nothing; leave it out to mean all."),
        (["replay", "--reason=,", "--dry_run"], "--reason names nothing; leave it out to mean all."),
        (["replay", "--topic= ", "--dry_run"], "--topic names nothing; leave it out to mean all."),
        (["list", "--letters=-1"], "--letters"),
        (["replay", "--record=a[0]"], "The coordinates are 'a[0]'"),
        (["list", "--record="], "The coordinates are ''"),
        (["replay", "--slice_bytes=1"], "--slice_bytes"),
        (["replay", "--single_tenant=Node", "--neo4j_uri=bolt://127.0.0.1:1"], "--single_tenant is 'Node'"),
        (["mend"], "No such command 'mend'"),
    ],
)
def test_wrong_usage_is_told_and_exits_with_2(arguments: list[str], said: str) -> None:
    flags = KAFKA if len(arguments) > 1 else []
    done = CliRunner().invoke(app, [*arguments, *flags], env={"COLUMNS": "400", "CLIENT_ID": ""})

    assert done.exit_code == 2, done.output
    assert said in done.output


@pytest.mark.parametrize("command", ["list", "show", "replay"])
def test_help_teaches_with_examples(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])

    assert done.exit_code == 0
    assert f"python -m pipelines.deadletters {command}" in done.output


@pytest.mark.parametrize(
    ("held", "value", "encoding"),
    [
        (None, None, None),
        (b'{"a":1.10, "b":12345678901234567890123}', msgspec.Raw(b'{"a":1.10, "b":12345678901234567890123}'), "json"),
        (b'"text"', msgspec.Raw(b'"text"'), "json"),
        (b"", "", "base64"),
        (b"{not json", "e25vdCBqc29u", "base64"),
        (b'"\xff"', "Iv8i", "base64"),
        (b'"\\ud800"', "Ilx1ZDgwMCI=", "base64"),
    ],
)
def test_a_value_is_its_json_text_or_base64(held: bytes | None, value: Any, encoding: str | None) -> None:
    found = readable_json(held)
    assert (msgspec.json.encode(found.value), found.encoding) == (msgspec.json.encode(value), encoding)


def test_a_key_is_text_or_base64() -> None:
    assert [readable_text(held) for held in (None, b"k", b"\xff")] == [(None, None), ("k", "text"), ("/w==", "base64")]


def test_nothing_that_a_terminal_would_obey_is_printed() -> None:
    assert printable("a\x1b[2Jb\n\u202ec\x9d\t é") == "a\\x1b[2Jb\n\\u202ec\\x9d\\t é"


@pytest.mark.parametrize(
    ("milliseconds", "shown"), [(AT_MS, "2026-03-01T08:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (2**62, f"{2**62} ms")]
)
def test_a_time_is_shown_in_utc_whatever_it_is(milliseconds: int, shown: str) -> None:
    assert shown_time(milliseconds) == shown


def posted(record: KafkaRecord, at: int = 0, partition: int = 0, written_ms: int = AT_MS) -> Posted:
    letter = decode_letter(encode_deadletter(Reject(record, "", Step.RESOLVE_TENANT, Reason.TENANT_MISSING, "why [red]\x1b")))
    return Posted(Coordinates("graph.deadletter", partition, at), written_ms, letter)


def gap(at: int = 0) -> Posted:
    return Posted(Coordinates("graph.deadletter", 0, at), AT_MS, decode_letter(encode_gap(OffsetGap(EVENTS, 0, 2, 5, 5))))


PLAIN = posted(KafkaRecord(EVENTS, 0, 2, AT_MS, b"k\x1b", b'{"a":1.10}', (("h", b"\xff"), ("n", None))))
HIDDEN = posted(KafkaRecord(RESOURCES, 0, 2, AT_MS, b"secret:shop:s", b'{"data":{"p":"hunter2"}}'))


def test_a_letter_is_told_whole() -> None:
    told = json.loads(msgspec.json.encode(letter_object(PLAIN, 3)))

    assert (told["coordinates"], told["letter"], told["letters"]) == (f"{EVENTS}[0]@2", "graph.deadletter[0]@0", 3)
    assert (told["key"], told["value"], told["value_encoding"], told["client_id"]) == ("k\x1b", {"a": 1.1}, "json", None)
    assert told["headers"] == [{"name": "h", "value": "/w==", "encoding": "base64"}, {"name": "n", "value": None, "encoding": None}]
    text = letter_text(PLAIN, 3)
    assert '"a": 1.10' in text
    assert "the last of 3" in text
    assert "k\\x1b" in text
    assert "\x1b" not in text


def test_a_letter_that_says_that_its_value_is_withheld_shows_none_even_if_it_holds_one() -> None:
    assert HIDDEN.letter.withheld
    forged = HIDDEN._replace(letter=msgspec.structs.replace(HIDDEN.letter, value=b'{"p":"hunter2"}'))

    for one in (HIDDEN, forged):
        told = letter_object(one, 1)
        assert (told["withheld"], told["value"], told["value_bytes"]) == (True, None, 24)
        assert "hunter2" not in letter_text(one, 1)
        assert "withheld: " in letter_text(one, 1)


def test_a_gap_shows_what_was_lost_and_no_record() -> None:
    told = letter_object(gap(), 1)

    assert (told["offsets_lost"], "value" in told, "timestamp" in told) == (3, False, False)
    assert "3 offsets; there is no record to it" in letter_text(gap(), 1)


def test_of_letters_with_the_same_coordinates_the_last_of_a_record_is_shown() -> None:
    record = KafkaRecord(EVENTS, 0, 2, AT_MS, b"k", b"{}")
    first, second = posted(record, 1, written_ms=9), posted(record, 2, written_ms=5)
    elsewhere = posted(record, 1, partition=1, written_ms=7)

    assert later(first, second) is second
    assert later(first, elsewhere) is first
    assert later(second, elsewhere) is elsewhere
    assert later(gap(), first) is first
    assert later(first, gap(3)) is first


def test_a_letter_says_when_it_was_replayed_if_it_was_since_it_was_written() -> None:
    record = KafkaRecord(EVENTS, 0, 2, AT_MS, b"k", b"{}")
    letter = posted(record, 1)
    wanted = Wanted(letter.at, letter.letter.coordinates, "-", 2, AT_MS)
    mark = Posted(Coordinates("graph.deadletter", 0, 3), AT_MS, replay_mark(wanted))

    assert replayed_ms(letter, [mark]) == AT_MS
    assert replayed_ms(posted(record, 4), [mark]) is None, "it was rejected again since"
    assert replayed_ms(posted(record, 1, partition=1, written_ms=AT_MS + 1), [mark]) is None
    assert replayed_ms(posted(KafkaRecord(EVENTS, 0, 2, AT_MS + 1, b"k", b"{}"), 1), [mark]) is None, "another record"
    assert replayed_ms(gap(), [mark]) is None
    assert f"replayed   {shown_time(AT_MS)}" in letter_text(letter, 1, AT_MS)
    assert letter_object(letter, 1, AT_MS)["replayed"] == shown_time(AT_MS)
    assert letter_object(letter, 1)["replayed"] is None
    assert "replayed   " not in letter_text(letter, 1)


GROUPS = [
    LetterGroup("af-10", "bad_time", EVENTS, False, 1200, 0, 300, AT_MS, AT_MS, Coordinates(EVENTS, 0, 7)),
    LetterGroup("-", "offsets_lost", EVENTS, True, 2, 3000, 0, AT_MS, AT_MS, Coordinates(EVENTS, 0, 2)),
]
LATEST = [LetterEntry(Coordinates(EVENTS, 0, 7), Coordinates("d", 0, 1), AT_MS, "af-10", "bad_time", "decode", "[/bold] \x1b[2J")]


def test_groups_are_listed_with_gaps_apart(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(GROUPS, LATEST, Counter({"not JSON": 2}))

    said = capsys.readouterr().out
    assert re.search(r"1,200 │ +300 │", said)
    assert f"{EVENTS}[0]@7" in said
    assert "3,000" in said
    assert "offsets_lost" not in said, "a gap is no reason among others"
    assert "[/bold] \\x1b[2J" in said
    assert "2 messages are no dead letters of this version and were passed over: 2 not JSON." in said
    told = list_object(GROUPS, LATEST, Counter())
    assert (told["letters"], told["replayed"], told["gaps"]) == (1200, 300, 2)
    assert (told["groups"][0]["replayed"], told["latest"][0]["replayed"]) == (300, None)
    assert [group.get("offsets_lost") for group in told["groups"]] == [None, 3000]


def test_nothing_unreadable_says_nothing() -> None:
    assert unreadable_sentences(Counter()) == []
