"""Logs of real containers, through the decoder and into a graph, against what the lines say of themselves."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import pytest

from scripts.sampling.record import LOGS, SampleRecord, json_bytes
from tests.measure_log_filter import by_level, judged, stated, templates
from tests.support.in_memory import expected_digests, played
from tests.support.real_data import COLLECTED_MS, FOLDER, LOG_DUMPS, LogLine, log_lines

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real dumps are not in {FOLDER}"),
]


def ours(line: LogLine) -> dict[str, Any]:
    body = {"event_id": f"{line.pod}/{line.container}/{line.time}/{line.text}"[:512], "message": line.text}
    return body | {"pod_namespace": line.namespace, "pod_name": line.pod, "container": line.container, "event_time": line.time or None}


def vector(line: LogLine) -> dict[str, Any]:
    of = {"pod_name": line.pod, "pod_namespace": line.namespace, "container_name": line.container}
    return {"message": line.text, "timestamp": line.time, "stream": "stderr", "kubernetes": of}


def fluent_bit(line: LogLine) -> dict[str, Any]:
    of = {"pod_name": line.pod, "namespace_name": line.namespace, "container_name": line.container}
    return {"log": line.text + "\n", "time": line.time, "stream": "stderr", "kubernetes": of}


Shape = Callable[[LogLine], dict[str, Any]]


def records(dump: str, shape: Shape) -> list[SampleRecord]:
    return [SampleRecord(LOGS, b"c::uid", json_bytes(shape(line)), COLLECTED_MS) for line in log_lines(dump)]


def episodes(found: list[SampleRecord]) -> list[dict[str, Any]]:
    """The episodes of the records, none of which is rejected."""
    store, rejects = played(found)
    assert rejects == []
    return [*store.tenants["c"].referrers_held.values()] if "c" in store.tenants else []


@pytest.mark.parametrize("dump", LOG_DUMPS)
def test_every_line_that_states_an_error_is_kept(dump: str) -> None:
    kept = {level: (lines, kept) for level, lines, kept, _ in by_level(dump)}
    lines, errors = kept.get("error", (0, 0))
    assert errors == lines
    assert sum(lines for lines, _ in kept.values()) > 1


def test_lines_that_a_collector_says_nothing_of_but_info_are_filtered() -> None:
    assert episodes(records("vector-kubernetes-logs", vector)) == []


@pytest.mark.parametrize("shape", [ours, vector, fluent_bit])
def test_train_tickets_errors_are_its_episodes(shape: Shape) -> None:
    dump = "nezha-trainticket-2023-01-29"
    errors = [line for line in log_lines(dump) if stated(line.text) == "error"]

    found = episodes(records(dump, shape))

    assert {node["severity"] for node in found} == {"ERROR"}
    assert {node["severity_raw"] for node in found} == {"ERROR"}
    assert Counter(node["subject"] for node in found).keys() == {f"pod:trainticket:{line.pod}" for line in errors}
    assert sum(node["count"] for node in found) == len({(line.pod, line.time, line.text) for line in errors}) == 152
    assert {node["message"] for node in found} <= {line.text for line in errors}


def test_an_episode_counts_the_lines_of_its_minute() -> None:
    """One complaint, which a container wrote 60 times, counted from the text of the dump alone."""
    lines = [line for line in log_lines("openshift-aws") if line.text.startswith("E") and "certificate_manager.go" in line.text]
    expected = Counter((line.pod, datetime.fromisoformat(line.time[:19]).replace(second=0), line.text.partition("] ")[2]) for line in lines)
    assert len(lines) == 60

    found = episodes([SampleRecord(LOGS, b"c::uid", json_bytes(vector(line)), COLLECTED_MS) for line in lines])

    counted = Counter(
        {
            (
                node["subject"].rpartition(":")[2],
                node["event_time"].replace(second=0, microsecond=0, tzinfo=None),
                node["message"].partition("] ")[2],
            ): node["count"]
            for node in found
        }
    )
    assert counted == expected
    assert max(expected.values()) > 1


@pytest.mark.parametrize("dump", ["openshift-azure", "nezha-trainticket-2023-01-29"])
def test_real_logs_give_one_graph_forwards_backwards_and_shuffled(dump: str) -> None:
    stream = [*enumerate(records(dump, vector))]
    expected = _digest(stream)

    assert _digest(stream[::-1]) == expected
    shuffled = stream * 2
    Random(5).shuffle(shuffled)
    assert _digest(shuffled) == expected


def _digest(stream: list[tuple[int, SampleRecord]]) -> dict[str, str]:
    return expected_digests([one for _, one in stream], offsets=[offset for offset, _ in stream])


def test_the_filter_keeps_what_was_judged_a_failure_and_little_else() -> None:
    quality = judged(templates())
    assert quality.recall > 0.95
    assert quality.precision > 0.9
