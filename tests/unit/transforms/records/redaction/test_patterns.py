"""Patterns over input never backtrack: they are RE2's. Where Python's own are used, no record, key or answer reaches them."""

import ast
import contextlib
import time
from collections.abc import Callable

import pytest

from tests.support.places import CHECKOUT
from transforms.records.dead_letters.redacted import kept_value
from transforms.records.json_text import check_json_text
from transforms.records.record import KafkaRecord
from transforms.records.redaction.text import redact_text, redact_tokens
from transforms.records.redaction.tree import is_suspicious
from transforms.records.rejects import Fault

ROOT = CHECKOUT
# Who may use Python's, and why.
ALLOWED = {
    "transforms/records/json_text.py": "possessive, so it cannot backtrack; ten times as fast as RE2 where it takes out every string",
    "transforms/planning/interpret/log.py": "without a repetition that has no bound, so linear; 20 µs a kept line less than RE2",
    "transforms/records/logs/line_level.py": "possessive, so it cannot backtrack; colours of lines pass here",
    "transforms/records/logs/fields.py": "every repetition has a bound; lines of logs pass here",
    "transforms/records/severity.py": "no two neighbours match the same character, so linear; words for levels pass here",
    "transforms/model/graph_mapping.py": "an operator's file of settings",
    "transforms/io/archive/folders.py": "a setting: the archive's path",
    "transforms/records/specs/pod_facts.py": "anchored at both ends and every repetition has a bound; addresses in environments pass here",
    "transforms/planning/causes/admission.py": "messages of Events, of at most a few KiB; one repetition a pattern",
    "transforms/planning/causes/alerts.py": "names of alerts; words alone",
    "transforms/planning/causes/blame.py": "messages of episodes, of at most a few KiB; every repetition has a bound",
    "transforms/planning/causes/nodes.py": "messages of Events; words alone",
    "transforms/planning/causes/probes.py": "messages of Events; words, and a number that is ours",
    "transforms/planning/causes/quantities.py": "quantities; matched as a whole, and every repetition has a bound",
    "transforms/planning/causes/scheduling.py": "messages of Events; one repetition of one class",
    "transforms/planning/views/search_text.py": "what a person searches for: single characters are escaped",
    "pipelines/console/fault_mark.py": "the detail of a reject, which is ours and bounded",
    "pipelines/options/compare.py": "a setting: the name of a database",
    "pipelines/options/backfill.py": "a setting: a duration",
    "pipelines/options/checks.py": "settings: names, addresses and numbers that an operator writes",
    "pipelines/options/tenants.py": "a setting: patterns of tenants that an operator writes",
    "runners/java_side.py": "the version of an artefact of Beam's",
    "runners/local/java.py": "what `java -version` prints",
}


def users_of_re() -> set[str]:
    found = set()
    for package in ("transforms", "pipelines", "runners"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                named = [one.name for one in node.names] if isinstance(node, ast.Import) else []
                if "re" in named or (isinstance(node, ast.ImportFrom) and node.module == "re"):
                    found.add(str(path.relative_to(ROOT)))
    return found


def test_pythons_patterns_are_used_only_where_no_input_reaches_them() -> None:
    assert users_of_re() == set(ALLOWED)


PIECES = (
    *("?secret", "%3A%2F%2F", "http://", "a?b=http%3A%2F%2F", "?a=%25", "://@", "x://u:", "?secret=x", "&a=http://", "https://a:b/@"),
    *("eyJ-", "eyJaaaaaaaa-", "eyJaaaaaaaa.", "secret", "password=", "password=x ", "-pabcd ", "-u a:", "--token ", "mysql -p ", "basic "),
    *("-----BEGIN PRIVATE KEY-----", "LS0tLS1CRUdJTi", "cookie:", '"password":"', "password:[", "a:b@tcp(", "[http://u:p@", "sk-a", "gh"),
)
SMALL, LARGE = 64 * 1024, 256 * 1024
# Four times the input in at most so many times the time. Quadratic would be sixteen.
MOST = 12
# Below that the clock and others on the machine decide.
LEAST_S = 0.01


def seconds(work: Callable[[], object]) -> float:
    """The best of three."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


@pytest.mark.parametrize("redact", [redact_text, redact_tokens])
@pytest.mark.parametrize("piece", PIECES)
def test_redaction_takes_time_in_proportion_to_the_text(piece: str, redact: Callable[[str], str]) -> None:
    small, large = ((piece * (size // len(piece) + 1))[:size] for size in (SMALL, LARGE))
    once = seconds(lambda: redact(small))
    assert once < 1
    assert seconds(lambda: redact(large)) < MOST * max(once, LEAST_S)


@pytest.mark.parametrize("piece", ['"a":{"password":"x"},', '"http://u:p@h",', '"\\u0070",', "[", '{"k":', '"-p","abcde",'])
def test_what_may_stay_of_a_value_is_found_in_time_in_proportion_to_it(piece: str) -> None:
    def kept(size: int) -> float:
        value = (piece.encode() * (size // len(piece) + 1))[:size]
        both = [KafkaRecord("events.normalized", 0, 0, 0, None, one) for one in (b'{"m":' + value, b"[" + value.rstrip(b",") + b"]")]
        return seconds(lambda: list(map(kept_value, both)))

    once = kept(SMALL)
    assert once < 2
    assert kept(LARGE) < MOST * max(once, LEAST_S)


@pytest.mark.parametrize("piece", [b'"', b"\\", b'"\\', b"1", b"1.", b"1e", b"-", b'"a",', b"{", b"\\\\"])
def test_checking_the_text_of_json_takes_time_in_proportion_to_it(piece: bytes) -> None:
    def check(size: int) -> float:
        value = b"[" * 33 + (piece * size)[:size]

        def work() -> None:
            with contextlib.suppress(Fault):
                check_json_text(value)
            is_suspicious(value)

        return seconds(work)

    assert check(LARGE) < MOST * max(check(SMALL), LEAST_S)
