"""How well the filter of logs tells failures from the rest, on real container logs: `python -m tests.measure_log_filter`.

Two truths, neither of which uses the table of failures. First the level that a line states in a field made for it (klog's
letter, a JSON or logfmt field, the column of Train Ticket's format), read here in a few lines of plain Python. Second a
judgement by hand of a seeded sample, one line a template, drawn evenly from lines that state an error, those that state a
warning, others with any word of a wide list, and the rest; it is kept as hashes of the lines (`log_labels.txt`). A line was
judged a failure where whoever looks for the cause of an incident would want to see it. Sampled templates are weighed by how
many of their stratum they stand for.
"""

import json
import re
import sys
import time
import timeit
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.support.real_data import FOLDER, LOG_DUMPS, LogLine, log_lines
from tests.support.wire import UID
from tests.unit.transforms.records.logs.test_loggers import LOGGERS
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Filtered
from transforms.records.logs.failure_table import failure_table
from transforms.records.record import KafkaRecord
from transforms.records.topics import TOPIC_OF_NAME

LABELS = Path(__file__).with_name("log_labels.txt")
SEED = 20260301
PER_STRATUM = 50
LEVELS = ("error", "warning", "lower", "none")
STRATA = ("error", "warning", "suspect", "rest")
_CLASS = {"e": "error", "f": "error", "error": "error", "fatal": "error", "critical": "error", "err": "error"}
_CLASS |= {"w": "warning", "warn": "warning", "warning": "warning"} | dict.fromkeys(("i", "d", "info", "debug", "trace"), "lower")
_FIELDS = ("level", "severity")
# A wide net for lines below warning or without a level, so that rare failures among them are drawn at all.
_SUSPECT = re.compile(
    "fail|error|exception|refus|time-?out|timed out|unable|cannot|can't|denied|forbidden|not found|lost|invalid|panic|fatal|kill"
    "|crash|unavailable|unhealthy|expired|reset|abort|missing|unauthorized|not ready|closing|unexpected|status\\W{1,3}50[0-9]",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"[0-9A-Za-z-]*[0-9][0-9A-Za-z-]*")


def stated(text: str) -> str:
    """The class of the level that a line states in a field made for it; "none" where it has no such field."""
    if len(text) > 6 and text[0] in "IWEF" and text[1:5].isdigit() and text[5] == " ":
        return _CLASS[text[0].lower()]
    if text.startswith("{"):
        try:
            body = json.loads(text)
        except ValueError:
            return "none"
        return next((_CLASS.get(str(body[name]).lower(), "none") for name in _FIELDS if name in body), "none")
    words = text.split(" ")
    logfmt = next((word.removeprefix("level=") for word in words[:3] if word.startswith("level=")), "")
    trainticket = words[1] if len(words) > 1 and len(words[0]) == len("17:33:16.821") and words[0].count(":") == 2 else ""
    return _CLASS.get((logfmt or trainticket).lower(), "none")


def is_kept(line: LogLine) -> bool:
    """What the decoder makes of the line, as a collector without a severity of its own sends it."""
    body = {"message": line.text, "kubernetes": {"pod_name": line.pod, "pod_namespace": line.namespace}}
    return not isinstance(TOPIC_OF_NAME["logs.normalized"].parse(json.dumps(body).encode()), Filtered)


def stratum(text: str) -> str:
    level = stated(text)
    if level in STRATA:
        return level
    return "suspect" if _SUSPECT.search(text) else "rest"


def template(text: str) -> str:
    return _VARIABLE.sub("#", text)[:160]


def templates() -> dict[str, dict[str, LogLine]]:
    """By stratum the first line of each template, over all dumps."""
    found: dict[str, dict[str, LogLine]] = {name: {} for name in STRATA}
    for dump in LOG_DUMPS:
        for line in log_lines(dump):
            if line.text.strip():
                found[stratum(line.text)].setdefault(template(line.text), line)
    return found


def sample(found: dict[str, dict[str, LogLine]]) -> dict[str, list[LogLine]]:
    """The lines to judge: the same for the same data."""
    random = Random(SEED)
    return {name: random.sample([*lines.values()], min(PER_STRATUM, len(lines))) for name, lines in found.items()}


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def labels() -> dict[str, bool]:
    """By hash of a line, whether it was judged to tell of a failure."""
    rows = (row.split() for row in LABELS.read_text().splitlines() if row and not row.startswith("#"))
    return {hashed: label == "1" for hashed, label in rows}


class Quality(NamedTuple):
    """Weighed numbers of lines: failures that are kept, harmless ones that are kept, failures that are filtered."""

    right: float
    wrong: float
    missed: float

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)


def judged(found: dict[str, dict[str, LogLine]], strata: Iterable[str] = STRATA) -> Quality:
    """The filter against the judgements, each template weighed by what it stands for."""
    said, drawn = labels(), sample(found)
    right = wrong = missed = 0.0
    for name in strata:
        weight = len(found[name]) / len(drawn[name])
        for line in drawn[name]:
            is_failure, kept = said[hash_of(line.text)], is_kept(line)
            right += weight * (kept and is_failure)
            wrong += weight * (kept and not is_failure)
            missed += weight * (is_failure and not kept)
    return Quality(right, wrong, missed)


def by_level(dump: str) -> Iterator[tuple[str, int, int, int]]:
    """By stated level: how many lines, how many kept, how many that match a family, whatever their level."""
    table = failure_table()
    lines, kept, matched = Counter[str](), Counter[str](), Counter[str]()
    for line in log_lines(dump):
        level = stated(line.text)
        lines[level] += 1
        kept[level] += is_kept(line)
        matched[level] += bool(table.hits(line.text).family)
    yield from ((level, lines[level], kept[level], matched[level]) for level in LEVELS if lines[level])


def of_causes() -> dict[str, tuple[int, int]]:
    """By pod that Train Ticket's list has at fault in a minute of the logs: how many lines it wrote, and how many are kept."""
    dump = "nezha-trainticket-2023-01-29"
    faults = [fault for hour in json.loads((FOLDER / dump / "fault_list.json").read_text()).values() for fault in hour]
    minutes = {path.name[:5].replace("_", ":") for path in (FOLDER / dump / "log").iterdir()}
    causes = {fault["inject_pod"] for fault in faults if fault["inject_time"][11:16] in minutes}
    lines, kept = Counter[str](), Counter[str]()
    for line in log_lines(dump):
        lines[line.pod] += 1
        kept[line.pod] += is_kept(line)
    return {pod: (lines[pod], kept[pod]) for pod in sorted(causes)}


def by_logger() -> tuple[list[str], list[str]]:
    """Of the table of loggers: whose line at an error is filtered, and whose line at a lower level is kept."""
    missed = [name for name, error, *_ in LOGGERS if not is_kept(_written(error))]
    needless = [name for name, _, _, lower in LOGGERS if is_kept(_written(lower))]
    return missed, needless


def _written(text: str) -> LogLine:
    return LogLine("shop", "cart-1", "app", "", text)


def us_per_filtered_line() -> float:
    """CPU time of decoding a line that is filtered, in the shape that Vector sends; the best of many rounds over 300 lines."""
    records = []
    for line in log_lines("openshift-azure"):
        of = {"pod_name": line.pod, "pod_namespace": line.namespace, "container_name": line.container, "pod_uid": UID}
        body = {"message": line.text, "timestamp": line.time, "stream": "stderr", "source_type": "kubernetes_logs", "kubernetes": of}
        record = KafkaRecord("logs.normalized", 0, 0, 1_772_352_000_000, f"af-10::{UID}".encode(), json.dumps(body).encode())
        if isinstance(decode_record(record).body, Filtered):
            records.append(record)
    taken = records[:: len(records) // 300][:300]
    rounds = timeit.repeat(lambda: [decode_record(record) for record in taken], number=1, repeat=200, timer=time.process_time)
    return min(rounds) / len(taken) * 1e6


def main() -> None:
    if not FOLDER.is_dir():
        sys.exit(f"The real dumps are not in {FOLDER}; name their folder with GRAPH_REAL_DATA.")
    print("dump, stated level, lines, kept, of a family")
    for dump in LOG_DUMPS:
        for level, lines, kept, matched in by_level(dump):
            print(f"{dump}, {level}, {lines}, {kept} ({kept / lines:.1%}), {matched} ({matched / lines:.1%})")
    print("\npod at fault, lines, kept")
    for pod, (lines, kept) in of_causes().items():
        print(f"{pod}, {lines}, {kept}")
    missed, needless = by_logger()
    print(f"\nof {len(LOGGERS)} loggers: errors filtered {len(missed)} {missed}, lower levels kept {len(needless)} {needless}")
    found = templates()
    print("\nstratum, templates, judged, failures, precision, recall")
    said, drawn = labels(), sample(found)
    for name in STRATA:
        failures = sum(said[hash_of(line.text)] for line in drawn[name])
        one = judged(found, [name])
        precision = f"{one.precision:.0%}" if one.right + one.wrong else "-"
        recall = f"{one.recall:.0%}" if one.right + one.missed else "-"
        print(f"{name}, {len(found[name])}, {len(drawn[name])}, {failures}, {precision}, {recall}")
    whole = judged(found)
    print(f"all, weighed: precision {whole.precision:.1%}, recall {whole.recall:.1%}")
    print(f"\nCPU time per filtered line: {us_per_filtered_line():.1f} µs")


if __name__ == "__main__":
    main()
