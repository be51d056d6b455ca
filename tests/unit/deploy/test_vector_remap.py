"""Vector's remap program, compiled and run by a real engine: what the job would keep passes, in a shape and under a key that it reads."""

import random
from typing import Any

import msgspec
import pytest
import pyvrl
import re2

from scripts.sampling.record import json_bytes
from scripts.vector_remap import program, vrl_pattern
from tests.support.places import CHECKOUT, SHARED
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Filtered, Log
from transforms.records.logs.failure_table import MATCHED_CHARACTERS, NO_HITS, failure_table
from transforms.records.logs.failures import FAMILIES
from transforms.records.logs.line_level import CANDIDATES, without_colours
from transforms.records.record import KafkaRecord
from transforms.records.topic_names import LOGS

REMAP = CHECKOUT / "deploy" / "helm" / "graph-agent" / "files" / "remap.vrl"
REAL = SHARED / "data" / "real" / "vector-kubernetes-logs" / "log-spamer.jsonl"
LABELLED = SHARED / "data" / "labelled"
AT_MS = 1_767_225_600_000
UID = "9585867b-5457-4729-a682-db3bed0ffd67"


@pytest.fixture(scope="module")
def transform() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLIENT_ID", "af-10")
        yield pyvrl.Transform(REMAP.read_text())


def event(line: str) -> dict[str, Any]:
    pod = {"pod_namespace": "shop", "pod_name": "web-1", "container_name": "web", "pod_uid": UID, "pod_labels": {"a": "b"}}
    return {"message": line, "stream": "stderr", "timestamp": "2026-01-01T00:00:00.5Z", "kubernetes": pod, "file": "/var/log/pods/x"}


def remapped(transform: Any, one: dict[str, Any]) -> dict[str, Any] | None:
    """What passes; None where the program drops it."""
    try:
        found: dict[str, Any] = transform.remap(one)
    except ValueError as error:
        if "aborted" not in str(error):
            raise
        return None
    return found


def decoded(passed: dict[str, Any]) -> Any:
    """As the sink writes it, through the job's decoder."""
    value = {name: one for name, one in passed.items() if not name.startswith("graph_")}
    key = passed["graph_key"].encode()
    headers = tuple((name, one.encode()) for name, one in passed["graph_headers"].items())
    return decode_record(KafkaRecord(LOGS, 0, 1, AT_MS, key, json_bytes(value), headers))


def test_the_program_is_what_the_families_say() -> None:
    assert REMAP.read_text() == "\n".join(program()) + "\n"


@pytest.mark.parametrize(
    "line",
    [
        "E0101 10:00:00.000000       1 x.go:1] failed to connect: connection refused",
        "\x1b[31mERROR\x1b[0m something broke",
        '{"level":"error","msg":"it\'s broken"}',
        "panic: runtime error: index out of range",
        "Zugriff verweigert: permission denied für Ä",
    ],
)
def test_a_failing_line_passes_under_the_pods_key_and_the_job_reads_it(transform: Any, line: str) -> None:
    passed = remapped(transform, event(line))
    assert passed is not None
    assert passed["graph_key"] == f"af-10::{UID}"
    record = decoded(passed)
    assert record.fault is None
    assert record.key.client_id == "af-10"
    assert isinstance(record.body, Log)
    assert (record.body.namespace, record.body.pod, record.body.container) == ("shop", "web-1", "web")
    assert record.body.event_time is not None


@pytest.mark.parametrize("line", ["", "all is well", '{"level":"info","msg":"started"}', "GET / 200"])
def test_a_harmless_line_is_dropped_at_the_source(transform: Any, line: str) -> None:
    assert remapped(transform, event(line)) is None


def test_what_names_no_pod_is_dropped(transform: Any) -> None:
    one = event("ERROR x")
    del one["kubernetes"]
    assert remapped(transform, one) is None
    assert remapped(transform, {"message": 7}) is None


def test_a_token_in_a_line_is_redacted_at_the_source(transform: Any) -> None:
    passed = remapped(transform, event("ERROR login with ghp_0123456789abcdefghij refused"))
    assert passed is not None
    assert "ghp_0123456789" not in passed["message"]


def test_a_long_line_is_cut_to_what_the_job_looks_at(transform: Any) -> None:
    passed = remapped(transform, event("ERROR " + "x" * 50_000))
    assert passed is not None
    assert len(passed["message"]) == MATCHED_CHARACTERS


@pytest.mark.skipif(not REAL.exists(), reason="the real lines are not here")
def test_real_records_of_vector_are_dropped_or_read(transform: Any) -> None:
    for text in REAL.read_text().splitlines():
        passed = remapped(transform, msgspec.json.decode(text))
        assert passed is None or not isinstance(decoded(passed).body, Filtered)


def _mutated(line: str, chance: random.Random) -> str:
    at = chance.randrange(len(line) + 1)
    return line[:at] + chance.choice(["é", "ß", " ", "\t", "\u00a0", "K", "1", "_", ":", "\x1b[0m"]) + line[at:]


def test_whatever_the_jobs_table_keeps_passes(transform: Any) -> None:
    chance = random.Random(7)
    table = failure_table()
    lines = [text for _, patterns in FAMILIES for pattern in patterns for text in _samples(pattern)]
    assert len(lines) > 100
    kept = 0
    for line in lines:
        for one in (line, line.upper(), _mutated(line, chance), _mutated(line, chance), f"é{line}é"):
            if table.hits(without_colours(one)) is not NO_HITS:
                kept += 1
                assert remapped(transform, event(one)) is not None, one
    assert kept > 200


def _samples(pattern: str) -> list[str]:
    """Texts that the pattern's alternatives name, where they are words."""
    import re  # noqa: PLC0415

    words = re.sub(r"\\b|\(\?:|\?|\)|\\[sdwS][*+]?|\[[^\]]*\]\S?|\{[^}]*\}", " ", pattern)
    return [re.sub(r"\s+", " ", part).strip() for part in words.split("|") if part.strip()]


def test_patterns_keep_ascii_meaning() -> None:
    assert vrl_pattern(r"\bno\b[\w.$]\s\S'") == r"(?-u:\b)no(?-u:\b)[0-9A-Za-z_.$][\t\n\f\r ][^\t\n\f\r ]\x27"
    assert all(re2.compile(one) for one in CANDIDATES)
