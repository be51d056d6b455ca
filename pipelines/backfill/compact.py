"""The command that makes few files of many: a job that follows writes small ones, a slice at a time."""

import sys
import time
from dataclasses import asdict

import typer

from pipelines.options.archive import archive_root
from pipelines.options.checks import duration_s
from pipelines.options.flow import log_level, tenant_id
from pipelines.output.command import exit_on_fault, print_json
from pipelines.output.logs import configure_logs
from pipelines.output.progress import Count
from runners.loops.stop import StopSignals
from transforms.io.archive.compact import Compacted
from transforms.io.archive.compact import compact as compact_archive
from transforms.io.archive.files import Archive


def compact(archive: str, older_than: str, client_id: str, json: bool, level: str) -> None:
    """Make one file of the small ones of each tenant, topic, partition and hour; for cron, beside the running job and readers."""
    configure_logs(log_level(level))
    root = archive_root(archive)
    age_s, tenant = duration_s("--older_than", older_than), tenant_id(client_id)
    before_ms = int((time.time() - age_s) * 1000)
    with exit_on_fault(), StopSignals() as stop, Count("looking at files", None) as count:
        done = compact_archive(Archive(root), before_ms, frozenset({tenant} if tenant else ()), stop.asked, count.advance)
    _tell(done, as_json=json)
    if done.corrupt:
        sys.exit(1)


def _tell(done: Compacted, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(done))
        return
    typer.echo(
        f"{done.files:,} files became {done.became:,}; {done.records:,} records, {done.doubles:,} that were there twice dropped; "
        f"{done.bytes_before:,} bytes became {done.bytes_after:,}; {done.stale:,} half-written files of killed writers taken away"
    )
    for path, why in done.corrupt.items():
        typer.echo(
            f"The archive file {path} is corrupt: {why}; its hour stays as it is: restore the file from a copy, or delete it.", err=True
        )
