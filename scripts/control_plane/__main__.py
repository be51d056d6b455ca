"""A real Kubernetes control plane on loopback, for tests of the agent and of the charts, and for trials.

etcd, kube-apiserver, kube-controller-manager and kube-scheduler are built once from their Go modules into the folder LAB (`.lab` in the
checkout, which git ignores), 9 GB with Go's caches; a kubelet of this project plays the nodes and their Pods. Everything is safe to repeat,
and `down` leaves no process. Exit codes: 0 done, 1 failed, 2 wrong usage.

Examples:

  scripts/lab up && scripts/lab scenario

  kubectl --kubeconfig .lab/plane/admin.kubeconfig get pods -A
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console

from runners.local.faults import StackFault
from runners.local.service import status_table
from scripts.control_plane.binaries import PROGRAMS, build, lab_dir, missing
from scripts.control_plane.kube import KubeFault
from scripts.control_plane.plane import ControlPlane
from scripts.control_plane.scenario import STEPS, play
from scripts.control_plane.servers import Ports

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
Port = Annotated[
    int, typer.Option("--port", envvar="LAB_PORT", min=1024, max=65531, help="The API server's port; the four after it are taken too.")
]


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    try:
        yield
    except (StackFault, KubeFault) as fault:
        typer.echo(str(fault), err=True)
        sys.exit(1)


def _say(said: str) -> None:
    typer.echo(said, err=True)


@app.callback()
def main(
    context: typer.Context,
    port: Port = 16443,
    nodes: Annotated[int, typer.Option("--nodes", min=1, max=100, help="How many nodes are played.")] = 3,
    run: Annotated[
        list[str] | None, typer.Option("--run", help="Run containers of images that begin so as processes; may be repeated.")
    ] = None,
) -> None:
    with _in_one_sentence():
        context.obj = ControlPlane(lab_dir() / "plane", Ports.at(port), nodes, tuple(run or ()))


@app.command()
def up(context: typer.Context) -> None:
    """Build what is missing, start what is not running, and return when all of it answers."""
    with _in_one_sentence():
        context.obj.up(_say)
        _print_status(context.obj)
        typer.echo(f"export KUBECONFIG={context.obj.kubeconfig()}")


@app.command()
def down(context: typer.Context, *, wipe: Annotated[bool, typer.Option("--wipe", help="Delete the cluster's data, too.")] = False) -> None:
    """Stop everything; data stays unless told otherwise."""
    with _in_one_sentence():
        stopped = context.obj.down()
        if wipe:
            context.obj.wipe()
        typer.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


@app.command()
def status(context: typer.Context) -> None:
    """Ask every server; exit code 0 only when all answer."""
    with _in_one_sentence():
        sys.exit(0 if _print_status(context.obj) else 1)


@app.command(name="build")
def build_all(*, again: Annotated[bool, typer.Option("--again", help="Build what is there, too.")] = False) -> None:
    """Build the programs, and Helm; how long that takes is said before it begins."""
    with _in_one_sentence():
        build(list(PROGRAMS) if again else missing(), _say)


@app.command()
def scenario(
    context: typer.Context,
    steps: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(STEPS)}; all unless told.")] = None,
) -> None:
    """Let things happen in the cluster, one after the other: roll-outs, drains, crashes, Jobs, deletions."""
    unknown = [name for name in steps or () if name not in STEPS]
    if unknown:
        typer.echo(f"There is no step {unknown[0]!r}; the steps are {', '.join(STEPS)}.", err=True)
        sys.exit(2)
    with _in_one_sentence():
        play(context.obj.kube(), steps or list(STEPS), _say)


def _print_status(plane: ControlPlane) -> bool:
    found = plane.status()
    Console(width=None if sys.stdout.isatty() else 160).print(status_table("server", found))
    return all(one.ready for one in found)


app()
