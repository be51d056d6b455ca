"""The local Flink cluster, on loopback only, and the jobs on it.

`up` is safe to repeat and mends what died; everything lies in `flink` within the stack's folder (GRAPH_STACK_DIR, by default
`.stack` in the checkout). Exit codes: 0 done, 1 failed, 2 wrong usage.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from runners.flink.job_table import job_rows
from runners.flink.rest import FlinkRest
from runners.flink.settings import STATE_BACKENDS
from runners.local.faults import StackFault
from runners.local.flink_cluster import FlinkCluster, RunningCluster, flink_dir, read_addresses, read_running
from runners.local.flink_conf import FlinkPorts, FlinkShape
from runners.local.service import status_table
from transforms.io.faults import InfrastructureFault

_PORTS = FlinkPorts()
_SHAPE = FlinkShape()

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

RestPort = Annotated[int, typer.Option("--rest_port", envvar="STACK_FLINK_REST_PORT", help="The JobManager's REST port.")]
RpcPort = Annotated[int, typer.Option("--rpc_port", envvar="STACK_FLINK_RPC_PORT", help="The JobManager's port for TaskManagers.")]
BlobPort = Annotated[int, typer.Option("--blob_port", envvar="STACK_FLINK_BLOB_PORT", help="The JobManager's port for files.")]
JobPort = Annotated[int, typer.Option("--job_port", envvar="STACK_FLINK_JOB_PORT", help="The port of Beam's job service.")]
ArtifactPort = Annotated[int, typer.Option("--artifact_port", envvar="STACK_FLINK_ARTIFACT_PORT", help="The port of its artifacts.")]
ExpansionPort = Annotated[
    int, typer.Option("--expansion_port", envvar="STACK_FLINK_EXPANSION_PORT", help="The port of the expansion service.")
]
PoolPort = Annotated[int, typer.Option("--pool_port", envvar="STACK_FLINK_POOL_PORT", help="The port of the Python worker pool.")]
Job = Annotated[str, typer.Argument(help="The job's id, as `status` shows it.", show_default=False)]


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    try:
        yield
    except StackFault as fault:
        typer.echo(str(fault), err=True)
        sys.exit(1)
    except InfrastructureFault as fault:
        typer.echo(fault.sentence, err=True)
        sys.exit(1)


@app.callback()
def main(
    context: typer.Context,
    rest_port: RestPort = _PORTS.rest,
    rpc_port: RpcPort = _PORTS.rpc,
    blob_port: BlobPort = _PORTS.blob,
    job_port: JobPort = _PORTS.job_service,
    artifact_port: ArtifactPort = _PORTS.artifacts,
    expansion_port: ExpansionPort = _PORTS.expansion,
    pool_port: PoolPort = _PORTS.worker_pool,
) -> None:
    context.obj = FlinkPorts(rest_port, rpc_port, blob_port, job_port, artifact_port, expansion_port, pool_port)


@app.command()
def up(
    context: typer.Context,
    small: Annotated[bool, typer.Option("--small", help="Flink and Beam's services in one JVM, for a laptop.")] = False,
    slots: Annotated[int, typer.Option("--slots", min=1, help="How many tasks run at once; a job takes its parallelism.")] = _SHAPE.slots,
    state_backend: Annotated[
        str, typer.Option("--state_backend", help="hashmap: state on the heap; rocksdb: on disk, where it outgrows memory.")
    ] = _SHAPE.state_backend,
) -> None:
    """Start what is not running, and return when all of it answers; what runs keeps its slots and its state backend."""
    if state_backend not in STATE_BACKENDS:
        raise typer.BadParameter(f"--state_backend is {state_backend!r}; it must be one of {', '.join(STATE_BACKENDS)}.")
    with _in_one_sentence():
        cluster = FlinkCluster(flink_dir(), context.obj, FlinkShape(small, slots, state_backend))
        cluster.up()
        _print_processes(cluster)


@app.command()
def down(context: typer.Context) -> None:
    """Stop everything, jobs included; take a savepoint of them before. Checkpoints and savepoints stay."""
    with _in_one_sentence():
        stopped = FlinkCluster(flink_dir(), context.obj).down()
        typer.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


@app.command()
def status(context: typer.Context) -> None:
    """Ask every process, and Flink for its jobs; exit code 0 only when all processes answer."""
    with _in_one_sentence():
        running = read_running() or RunningCluster(context.obj, FlinkShape())
        answers = _print_processes(FlinkCluster(flink_dir(), running.ports, running.shape))
        if answers:
            _print_jobs()
        sys.exit(0 if answers else 1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def submit(context: typer.Context) -> None:
    """Run the main job on this cluster; all that follows goes to `python -m pipelines.graph_build`."""
    with _in_one_sentence():
        command = [sys.executable, "-m", "pipelines.graph_build", "--runner=FlinkRunner", f"--flink_master={_master()}", *context.args]
    os.execv(sys.executable, command)  # noqa: S606  (a list of our own words; the job takes this process over)


@app.command()
def cancel(job: Job) -> None:
    """End a job. Whoever resumes from its last checkpoint does again what it did since."""
    with _in_one_sentence(), FlinkRest(_master()) as rest:
        rest.cancel(rest.job(job).id)
        typer.echo(f"cancelled {job}")


@app.command()
def savepoint(
    job: Job,
    cancel: Annotated[bool, typer.Option("--cancel", help="End the job with it; nothing is processed in between.")] = False,
) -> None:
    """Take a savepoint and print its path, for --savepoint_path of the submission that resumes from it."""
    with _in_one_sentence(), FlinkRest(_master()) as rest:
        typer.echo(rest.savepoint(rest.job(job).id, stop=cancel))


def _master() -> str:
    addresses = read_addresses()
    if addresses is None:
        raise StackFault("The local Flink cluster is down; start it with `scripts/flink up`.")
    return addresses.master


def _print_processes(cluster: FlinkCluster) -> bool:
    found = cluster.status()
    _print(status_table("process", found))
    return all(one.ready for one in found)


def _print_jobs() -> None:
    with FlinkRest(_master()) as rest:
        seen = rest.overview()
        typer.echo(
            f"Flink {seen.version} at {rest.address}: {seen.task_managers} TaskManagers, {seen.free_slots} of {seen.slots} slots free"
        )
        table = Table("job", "name", "state", "tasks", "restarts", "checkpoints", "last checkpoint", "last failure")
        for row in job_rows(rest):
            table.add_row(*row)
        if table.row_count:
            _print(table)


def _print(table: Table) -> None:
    Console(width=None if sys.stdout.isatty() else 200).print(table)


if __name__ == "__main__":
    app()
