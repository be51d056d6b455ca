"""A backfill from the archive, and from Kafka, against the live run of the same records; memory of few records against many.

Every run takes in the same records on an empty graph, in a process of its own. What the archive alone delivers is measured beside, so that
the figures say what of a replay is reading.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.table import Table

from scripts.benching.purging import ended
from scripts.benching.stage import Stage
from scripts.benching.traffic import Fleet
from scripts.sampling.produce import TOPICS
from transforms.io.archive.files import Archive
from transforms.io.kafka.single_records import HeldRecords
from transforms.records.archive_format.archived import Archived
from transforms.records.tenancy.tenant import split_key

BAR: Final = 3.0
_CLUSTERS: Final = 10
_OBJECTS: Final = 1010
_WRITE_RECORDS: Final = 50_000
_LATEST_MS: Final = 2**52


def measure_backfill(counts: tuple[int, ...], mix: str, seed: int, stage: Stage, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures, as the JSON object that `--json` prints. counts: of records, one measurement each."""
    runs = {str(records): _measured(records, mix, seed, stage, say) for records in counts}
    least, most = runs[str(min(counts))], runs[str(max(counts))]
    return {
        "mix": mix,
        "seed": seed,
        "clusters": _CLUSTERS,
        "runs": runs,
        "ratio": round(most["archive"]["records_per_s"] / most["live"]["records_per_s"], 2),
        "bar": BAR,
        "memory_ratio": round(most["archive"]["peak_rss_mb"] / least["archive"]["peak_rss_mb"], 2),
    }


def _measured(records: int, mix: str, seed: int, stage: Stage, say: Callable[[str], None]) -> dict[str, Any]:
    fleet = Fleet(_CLUSTERS, _OBJECTS // _CLUSTERS, seed)
    stage.clear()
    stage.clear_graph()
    say(f"producing {records:,} records")
    number = stage.produce(fleet.once()) + stage.produce(fleet.traffic(mix, records))
    with tempfile.TemporaryDirectory() as root:
        raw_bytes = archive_all(stage, root)
        files = Archive(root).find(0, _LATEST_MS)
        found: dict[str, Any] = {
            "records": number,
            "files": len(files),
            "bytes_per_raw": round(sum(one.size_bytes for one in files) / raw_bytes, 3),
        }
        found["archive_read_per_s"] = round(_read_rate(root))
        live = ("pipelines.graph_build", "--kafka_reader=bounded", f"--kafka_group=bench-{records}", f"--topics={','.join(TOPICS)}")
        backfill = ("pipelines.backfill", "run", "--from=2026-01-01T00:00:00Z")
        commands = {"live": live, "archive": (*backfill, f"--archive={root}"), "kafka": (*backfill, "--source=kafka")}
        for name, command in commands.items():
            say(f"{records:,} records, {name}")
            stage.clear_graph()
            found[name] = _run(command, stage.environment(), number)
    return found


def archive_all(stage: Stage, root: str) -> int:
    """Archive all that Kafka holds; the bytes of keys and values."""
    archive, held, size = Archive(root), list[Archived](), 0
    with closing(HeldRecords(stage.kafka_target)) as kafka:
        for chunk in kafka.read(kafka.ranges(TOPICS)):
            held += [Archived(one, split_key((one.key or b"").decode()).client_id or "") for one in chunk]
            size += sum(one.size_bytes for one in chunk)
            if len(held) >= _WRITE_RECORDS:
                archive.write(held)
                held = []
    archive.write(held)
    return size


def _read_rate(root: str) -> float:
    """Records a second that the archive delivers when nothing is done with them."""
    archive = Archive(root)
    started = time.perf_counter()
    number = sum(len(block) for file in archive.find(0, _LATEST_MS) for block in archive.read(file))
    return number / (time.perf_counter() - started)


def _run(command: tuple[str, ...], environment: dict[str, str], records: int) -> dict[str, Any]:
    """One run in a process of its own. RuntimeError with what it said where it fails, or where it reads another number."""
    module, *flags = command
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        whole = [sys.executable, "-m", module, *flags, "--json", "--log_level=ERROR"]
        process = subprocess.Popen(whole, env={**os.environ, **environment}, stdout=out, stderr=err)
        status, used, peak_mb = ended(process)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise RuntimeError(f"{module} ended with {process.returncode}: {err.read()[-2000:].decode(errors='replace')}")
        told = msgspec.json.decode(out.read())
    if told["read"] != records:
        raise RuntimeError(f"{records} records were produced, {told['read']} read by {module}")
    cpu_s = used.ru_utime + used.ru_stime
    return {
        "records_per_s": round(records / told["seconds"]),
        "seconds": told["seconds"],
        "slices": told["slices"],
        "write_seconds": told["write_seconds"],
        "cpu_s_per_million": round(cpu_s * 1e6 / records, 1),
        "peak_rss_mb": round(peak_mb, 1),
    }


def show_backfill(found: dict[str, Any]) -> None:
    """Print the figures."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    columns = {
        "records_per_s": "records/s",
        "seconds": "seconds",
        "write_seconds": "of them writing",
        "cpu_s_per_million": "CPU-s per million",
    }
    for records, run in found["runs"].items():
        table = Table("run", *columns.values(), "peak MB", title=f"{int(records):,} records, mix {found['mix']}, {run['files']:,} files")
        for name in ("live", "archive", "kafka"):
            table.add_row(name, *(f"{run[name][column]:,}" for column in (*columns, "peak_rss_mb")))
        console.print(table)
        console.print(
            f"the archive alone delivers {run['archive_read_per_s']:,} records/s; {run['bytes_per_raw']} of the raw bytes on disk"
        )
    console.print(f"archive / live: {found['ratio']} (bar {found['bar']}); peak memory, most records / fewest: {found['memory_ratio']}")
