"""The agent of one cluster: what its API server holds, into the topics, under keys that begin with the cluster's client_id.

`run` need not be named. It writes all objects, ends that report once Kafka has acknowledged it, and then writes each change as it comes;
Events, a registration, heartbeats and manifests too. Of several replicas with one --lease one writes. SIGTERM drains.
`deregister` says that the cluster is gone for good, so that `tenants reap` may purge its graph.

Exit codes: 0 done, or told to stop; 1 failed, or records were left unacknowledged (one sentence says why); 2 wrong usage.

Examples:

  python -m pipelines.agent --client_id af-10 --kafka_brokers kafka:9092

  python -m pipelines.agent --client_id af-10 --kubeconfig ~/.kube/config --once --dry_run

  python -m pipelines.agent deregister --yes --client_id af-10 --kafka_brokers kafka:9092
"""

# What it works with is imported when it runs: `--help` needs none of it.
# ruff: noqa: PLC0415

import sys
from typing import Annotated

import typer

from pipelines.agent.options import ClusterOptions, DeliveryOptions, WorkOptions
from pipelines.options.checks import usage_error
from pipelines.options.common import LogLevel, log_level
from pipelines.options.default_command import RunsByDefault
from pipelines.options.flatten import flatten_option_groups
from pipelines.options.told_value import TellsValues
from pipelines.output.command import exit_on_fault
from pipelines.output.logs import configure_logs

app = typer.Typer(
    cls=RunsByDefault, add_completion=False, rich_markup_mode=None, help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False
)


@app.command(cls=TellsValues)
@flatten_option_groups
def run(
    cluster: ClusterOptions,
    delivery: DeliveryOptions,
    work: WorkOptions,
    *,
    once: Annotated[bool, typer.Option("--once", help="Write everything once, end the report and exit.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry_run", help="Print the records on standard output; write nothing to Kafka.")] = False,
    level: LogLevel = "INFO",
) -> None:
    """Write what the cluster holds, until told to stop."""
    configure_logs(log_level(level))
    from pipelines.agent.run import Agent

    with exit_on_fault():
        agent = Agent(cluster, delivery, work, dry_run=dry_run)
        done = agent.once() if once else agent.run()
    sys.exit(0 if done else 1)


@app.command(cls=TellsValues)
@flatten_option_groups
def deregister(
    cluster: ClusterOptions,
    delivery: DeliveryOptions,
    work: WorkOptions,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Needed: the cluster's graph may be purged after this.")] = False,
    level: LogLevel = "INFO",
) -> None:
    """Say that the cluster is gone for good. With --lease, whoever writes stops first."""
    configure_logs(log_level(level))
    from pipelines.agent.run import Agent

    if not yes:
        raise usage_error("deregister lets `tenants reap` purge the cluster's graph; say --yes.")
    with exit_on_fault():
        done = Agent(cluster, delivery, work, dry_run=False).deregister()
    sys.exit(0 if done else 1)
