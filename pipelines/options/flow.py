"""Whose records are taken in, and how the flow runs."""

import os
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from pipelines.options.checks import completed, is_on
from pipelines.options.common import LOG_LEVELS, ClientId, Json, LogLevel, log_level, tenant_id
from pipelines.options.warn import warn
from transforms.io.neo4j.time_limits import LOCK_TIMEOUT_S, WRITE_TIMEOUT_S, TimeLimits
from transforms.planning.scheduling.adaptive_batch_size import BatchSizeLimits
from transforms.planning.scheduling.grouping import GroupLimits
from transforms.steps.writing import Writing

__all__ = ["LOG_LEVELS", "ClientId", "Json", "LogLevel", "TenantOptions", "WriteOptions", "log_level", "tenant_id"]

SINGLE_TENANT_VARIABLE: Final = "SINGLE_TENANT"
# The job's older variable. What only looks back at records does not take it: one that is exported would change a replay.
JOBS_VARIABLE: Final = "CLIENT_ID"

SingleTenant = Annotated[
    str,
    typer.Option(
        "--single_tenant",
        envvar=SINGLE_TENANT_VARIABLE,
        help="Single-tenant mode, as of the job: stamps records that name no tenant, skips those of others.",
    ),
]


def single_tenant_id(client_id: str) -> str:
    """The tenant of single-tenant mode, checked; "" for all. Warns where only the job's variable names one."""
    if not client_id and os.environ.get(JOBS_VARIABLE):
        warn("CLIENT_ID is for the job alone; give --single_tenant or SINGLE_TENANT here", client_id=os.environ[JOBS_VARIABLE])
    return tenant_id(client_id, "--single_tenant")


@dataclass(frozen=True, slots=True)
class TenantOptions:
    """Whose records are taken in."""

    client_id: Annotated[
        str,
        typer.Option(
            "--single_tenant",
            "--client_id",
            envvar=[SINGLE_TENANT_VARIABLE, JOBS_VARIABLE],
            help="Single-tenant mode: stamps records that name no tenant, skips those of others. --client_id is its older name.",
        ),
    ] = ""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How much is written at once."""

    batch_rows: Annotated[int, typer.Option("--batch_rows", min=1, max=10000, help="Rows per transaction, at most.")] = 2000
    batch_rows_least: Annotated[
        int, typer.Option("--batch_rows_least", min=1, help="Rows per transaction that a slow server does not bring it below.")
    ] = 200
    batch_s: Annotated[
        float,
        typer.Option("--batch_s", min=0.01, help="Seconds that a transaction should take; its rows are made more or fewer after that."),
    ] = 2.0
    batch_bytes: Annotated[int, typer.Option("--batch_bytes", min=65536, help="Bytes of values per transaction.")] = 4 * 1024 * 1024
    writers: Annotated[int, typer.Option("--writers", min=1, max=64, help="Tenants that are written at once.")] = 2
    shards: Annotated[int, typer.Option("--shards", min=1, max=64, help="Shards per tenant, for folding on several workers.")] = 1
    write_timeout_s: Annotated[
        float, typer.Option("--write_timeout_s", min=1, help="Seconds after which Neo4j ends a transaction, whatever it does.")
    ] = WRITE_TIMEOUT_S
    lock_timeout_s: Annotated[
        float, typer.Option("--lock_timeout_s", min=0.5, help="Seconds that a transaction waits for a lock that somebody holds.")
    ] = LOCK_TIMEOUT_S
    tenant_max_failures: Annotated[
        int,
        typer.Option(
            "--tenant_max_failures",
            min=1,
            help="Failures of a tenant's transactions in a row, explained by no row, that put it in quarantine.",
        ),
    ] = 3

    incidents: Annotated[
        str,
        typer.Option(
            "--incidents",
            envvar="INCIDENTS",
            autocompletion=completed("on", "off"),
            help="on | off: keep the incidents of tenants that were written, with their causes.",
        ),
    ] = "on"

    calls: Annotated[
        str,
        typer.Option(
            "--calls",
            envvar="CALLS",
            autocompletion=completed("on", "off"),
            help="on | off: keep addresses (host:port) in the environment of containers, and the Services that workloads call by them.",
        ),
    ] = "on"

    def wants_calls(self) -> bool:
        """Whether addresses in environments are kept; an error of use for another word."""
        return is_on("--calls", self.calls)

    def wants_incidents(self) -> bool:
        """Whether incidents are kept; an error of use for another word."""
        return is_on("--incidents", self.incidents)

    def limits(self) -> TimeLimits:
        """Of a tenant's transaction; where that has less time than a lock is worth waiting for, the lock has no more."""
        return TimeLimits(self.write_timeout_s, min(self.lock_timeout_s, self.write_timeout_s))

    def writing(self, *, streams: bool = False) -> Writing:
        """What the write step takes of them. streams: as in `Writing`."""
        pace = BatchSizeLimits(min(self.batch_rows_least, self.batch_rows), self.batch_rows, self.batch_s)
        groups = GroupLimits(self.batch_rows, self.batch_bytes)
        return Writing(self.writers, self.limits(), self.tenant_max_failures, streams, pace, groups)
