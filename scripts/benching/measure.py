"""The measurements: each on an empty stage, each against the raw client where there is one."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pipelines.options.flow import WriteOptions
from scripts.benching.job import JobRun, run_job, watch
from scripts.benching.raw import consume_rate, transactions_of, write_rate
from scripts.benching.stage import Stage
from scripts.benching.traffic import MIXES, RESYNC_S, Fleet
from scripts.sampling.produce import TOPICS
from scripts.sampling.record import RESOURCES
from transforms.steps.readers import BEAM, BOUNDED

FOLLOW_S: Final = 60
# The connector is slower by an order of magnitude; more records would only take longer.
BEAM_RECORDS: Final = 60_000
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    messages: records of a run. clusters: the first number is used wherever one is needed; all for `by_clusters`.
    objects: Kubernetes objects of all clusters together. first_load: records of the first load, all distinct.
    """

    messages: int
    clusters: tuple[int, ...]
    mix: str
    phase: str
    readers: tuple[str, ...]
    objects: int
    first_load: int
    seed: int


def measure(plan: Plan, stage: Stage, say: Callable[[str], None]) -> dict[str, Any]:
    """All figures, as the JSON object that `--json` prints."""
    found: dict[str, Any] = {"mix": plan.mix, "phase": plan.phase, "messages": plan.messages, "seed": plan.seed}
    say("first load, raw driver and job")
    found |= first_load(plan, stage)
    jobs: dict[str, Any] = {}
    for reader in plan.readers:
        say(f"{plan.phase} of {plan.clusters[0]} clusters, reader {reader}")
        jobs[reader] = run_phase(plan, stage, reader, plan.clusters[0])
    found["raw_consume_per_s"] = jobs[plan.readers[0]].pop("raw_consume_per_s")
    found["jobs"] = jobs
    by_clusters: dict[str, Any] = {}
    for clusters in plan.clusters if len(plan.clusters) > 1 else ():
        say(f"{plan.phase} of {clusters} clusters")
        by_clusters[str(clusters)] = run_phase(plan, stage, BOUNDED, clusters)
    found["by_clusters"] = by_clusters
    found |= following(plan, stage, say)
    return found


def following(plan: Plan, stage: Stage, say: Callable[[str], None]) -> dict[str, Any]:
    """What a run that follows uses: with nothing to read, and at the pace at which the fleet reports all objects each 30 s."""
    clusters = plan.clusters[0]
    fleet = Fleet(clusters, plan.objects // clusters, plan.seed)
    flags = _flags(BOUNDED, "bench-follow")
    stage.clear()
    stage.produce(fleet.once())
    say(f"following for {FOLLOW_S} s with nothing to read")
    idle = watch(flags, stage.environment(), FOLLOW_S, lambda: None)
    pace = round(plan.objects / RESYNC_S * sum(MIXES[plan.mix].values()) / MIXES[plan.mix][RESOURCES])
    traffic = fleet.traffic(plan.mix, pace * FOLLOW_S)
    say(f"following for {FOLLOW_S} s at {pace} messages/s")
    paced = watch(flags, stage.environment(), FOLLOW_S, lambda: stage.produce(islice(traffic, pace)))
    return {"idle": idle, "paced": {"messages_per_s": pace, **paced}}


def first_load(plan: Plan, stage: Stage) -> dict[str, Any]:
    """Rows per second on an empty graph: the raw driver's, and the job's inside its write step; both alternately."""
    clusters = plan.clusters[0]
    fleet = Fleet(clusters, plan.first_load // clusters // 2, plan.seed)
    records = list(fleet.once())
    stage.clear()
    stage.produce(records)
    # The very transactions that the job makes, with its default batches.
    batches = WriteOptions()
    transactions = transactions_of(records, batches.batch_rows, batches.batch_bytes)
    raws: list[float] = []
    jobs: list[float] = []
    rows = 0
    for number in range(_ROUNDS):
        stage.clear_graph()
        rows, rate = write_rate(stage.neo4j_target, transactions)
        raws.append(rate)
        stage.clear_graph()
        run = run_job(_flags(BOUNDED, f"bench-first-{number}"), stage.environment(), None)
        jobs.append(run.report["rows_written"] / run.report["write_seconds"])
    ratios = sorted(job / raw for job, raw in zip(jobs, raws, strict=True))
    return {
        "first_load_records": len(records),
        "first_load_rows": rows,
        "raw_rows_per_s": round(max(raws)),
        "job_rows_per_s": round(max(jobs)),
        "rows_ratio": round(ratios[len(ratios) // 2], 3),
        "rows_ratios": [round(ratio, 3) for ratio in ratios],
    }


def run_phase(plan: Plan, stage: Stage, reader: str, clusters: int) -> dict[str, Any]:
    """One run of the job over the phase's traffic, on an empty stage, and the raw consumer over the same records."""
    stage.clear()
    messages = min(plan.messages, BEAM_RECORDS) if reader == BEAM else plan.messages
    fleet = Fleet(clusters, (plan.objects if plan.phase == "resync" else messages // 2) // clusters, plan.seed)
    group = f"bench-{reader}"
    if plan.phase == "resync":
        stage.produce(fleet.once())
        run_job(_flags(BOUNDED, group), stage.environment(), None)
        number = stage.produce(fleet.traffic(plan.mix, messages))
    else:
        number = stage.produce(fleet.once())
    run = run_job(_flags(reader, group), stage.environment(), stage.connector if reader == BEAM else None)
    if run.report["read"] != number:
        raise RuntimeError(f"{number} records were produced, {run.report['read']} read")
    raw, rate = consume_rate(stage.brokers, TOPICS)
    figures = _figures(run, number)
    distinct = sum(fleet.facts.values())
    return figures | {"raw_consume_per_s": round(rate), "raw_records": raw, "distinct": distinct}


def _flags(reader: str, group: str) -> list[str]:
    return [f"--kafka_reader={reader}", f"--kafka_group={group}", f"--topics={','.join(TOPICS)}"]


def _figures(run: JobRun, records: int) -> dict[str, Any]:
    report = run.report
    rows_per_s = round(report["rows_written"] / report["write_seconds"]) if report["write_seconds"] else 0
    outcomes = {name: report[name] for name in ("written", "unchanged", "superseded", "below_floor", "filtered", "undecoded", "rejected")}
    return {
        "records": records,
        "messages_per_s": round(records / report["seconds"]),
        "rows_per_s": rows_per_s,
        "cpu_s_per_million": round(run.cpu_s * 1e6 / records, 1),
        "java_cpu_s_per_million": round(run.java_cpu_s * 1e6 / records, 1),
        "peak_rss_mb": round(run.peak_rss_mb, 1),
        "seconds": report["seconds"],
        "wall_s": round(run.wall_s, 2),
        "outcomes": {name: number for name, number in outcomes.items() if number},
    }
