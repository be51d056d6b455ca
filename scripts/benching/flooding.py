"""What a loud tenant costs the others: nine clusters taken in beside one with ten times its share of the records, and without it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from pipelines.output.command import console
from scripts.benching.stage import Stage
from scripts.benching.traffic import Fleet
from scripts.sampling.produce import ensure_topics
from scripts.sampling.record import RESOURCES, SampleRecord, json_bytes

QUIET: Final = tuple(f"af-{10 + number}" for number in range(9))
LOUD: Final = "af-99"
TIMES: Final = 10
ROUNDS: Final = 3
_OBJECTS: Final = 100
_LOOK_S: Final = 0.1
_PATIENCE_S: Final = 600.0
_ENDS: Final = "MATCH (n:ConfigMap {name: 'end'}) WHERE n.client_id IN $quiet RETURN count(n) AS number"


def measure_flood(messages: int, seed: int, stage: Stage, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures, as the JSON object that `--json` prints. messages: of one quiet cluster.

    Seconds from the start of the job until the last record of all quiet clusters is in the graph; each with a topic of its own.
    """
    found: dict[str, list[float]] = {"without": [], "beside": []}
    for number in range(ROUNDS):
        for name, loud in (("without", 0), ("beside", TIMES * messages)):
            say(f"round {number + 1} of {ROUNDS}: nine clusters {name} a loud one")
            found[name].append(round(_seconds(messages, loud, seed + number, stage), 2))
    ratio = round(sorted(found["beside"])[ROUNDS // 2] / sorted(found["without"])[ROUNDS // 2], 2)
    return {"flood": {"messages": messages, "loud_messages": TIMES * messages, "quiet_clusters": len(QUIET), **found, "ratio": ratio}}


def show_flood(found: dict[str, Any]) -> None:
    flood = found["flood"]
    out = console()
    without, beside = ", ".join(map(str, flood["without"])), ", ".join(map(str, flood["beside"]))
    out.print(f"nine clusters of {flood['messages']:,} records each in the graph after {without} s;", highlight=False)
    out.print(f"beside one of {flood['loud_messages']:,} records after {beside} s: {flood['ratio']} times as long", highlight=False)


def _seconds(messages: int, loud: int, seed: int, stage: Stage) -> float:
    stage.clear()
    ensure_topics(stage.brokers, [f"{one}.{RESOURCES}" for one in (*QUIET, LOUD)], partitions=1)
    for client_id in QUIET:
        stage.produce(_records(client_id, messages, seed))
    if loud:
        stage.produce(_records(LOUD, loud, seed))
    flags = ["--kafka_reader=bounded", "--kafka_group=bench-flood", "--topic_per_cluster", "--log_level=ERROR"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.graph_build", *flags],
        env={**os.environ, **stage.environment()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while stage.cypher(_ENDS, quiet=list(QUIET))[0]["number"] < len(QUIET):
            if time.perf_counter() - started > _PATIENCE_S or process.poll() not in (None, 0):
                raise RuntimeError(f"the job ended with {process.poll()} or took too long")
            time.sleep(_LOOK_S)
        return time.perf_counter() - started
    finally:
        if process.wait(_PATIENCE_S):
            raise RuntimeError(f"the job ended with {process.returncode}")


def _records(client_id: str, number: int, seed: int) -> Iterator[SampleRecord]:
    """So many reports of a cluster's objects, and one object after all of them."""
    last = 0
    for one in Fleet(1, _OBJECTS, seed).traffic("state", number):
        if one.topic == RESOURCES:
            last = one.timestamp_ms
            yield one._replace(topic=f"{client_id}.{RESOURCES}", key=(one.key or b"").partition(b"::")[2])
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(last / 1000))
    body = {"op": "UPSERT", "at": at, "kind": "ConfigMap", "apiVersion": "v1", "namespace": "shop", "name": "end"}
    yield SampleRecord(f"{client_id}.{RESOURCES}", b"configmap:shop:end", json_bytes(body), last + 1000)
