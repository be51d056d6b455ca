"""`tenants release`: release a tenant from quarantine and replay what was held of it meanwhile."""

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

import structlog
import typer

from pipelines.options.checks import usage_error
from pipelines.options.failures import FailureOptions
from pipelines.options.flow import WriteOptions, tenant_id
from pipelines.options.kafka import KafkaOptions
from pipelines.options.letter_place import letter_place
from pipelines.options.letters import ReplayOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.registry import RegistryOptions
from pipelines.options.tenants import AdmissionOptions, RouteOptions
from pipelines.output.command import INTERRUPTED_REPLAY, exit_on_fault
from pipelines.output.known_tenant import must_be_known
from pipelines.settings import FlowSettings, flow_settings
from runners.loops.replay import ReplayTotals
from transforms.io.graph_admin.lease import is_held
from transforms.io.graph_admin.quarantine import read_quarantined
from transforms.io.graph_admin.quarantine import release as take_mark_away
from transforms.io.kafka.offsets import Place
from transforms.io.neo4j.errors import RowRefused, TenantFault
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.model.metrics import REJECT_REASONS
from transforms.records.dead_letters.selection import LetterFilter
from transforms.records.rejects import Reason

_LOG: Final = structlog.get_logger("tenants")
_HELD: Final = str(Reason.TENANT_QUARANTINED)

Pass = Callable[[Mapping[Place, int]], ReplayTotals]


def release(
    client_id: str,
    kafka: KafkaOptions,
    neo4j: Neo4jOptions,
    registry: RegistryOptions,
    how: ReplayOptions,
    routes: RouteOptions,
    admission: AdmissionOptions,
    writes: WriteOptions,
    failures: FailureOptions,
    deadletter_topic: str,
    deadletter_path: str,
    settle_s: float,
    json: bool,
) -> None:
    """Release a tenant from quarantine, and replay its records that the dead letters hold."""
    tenant = tenant_id(client_id, "CLIENT_ID")
    if not tenant or how.tenant() not in ("", tenant):
        raise usage_error(f"CLIENT_ID is {client_id!r} and --single_tenant {how.tenant()!r}; name one tenant, the same in both.")
    letters, rules = letter_place(deadletter_topic, deadletter_path), admission.rules(how.tenant())
    flow = flow_settings(kafka.target(), neo4j.target(), letters, rules, routes, writes, failures, registry)
    flow = replace(flow, live=False, released=True)
    started = time.monotonic()
    with exit_on_fault(INTERRUPTED_REPLAY):
        told, totals = _released(tenant, flow, how.slice_bytes, settle_s, dry_run=how.dry_run)
    from pipelines.output.run_report import print_replay, replay_summary  # noqa: PLC0415 - imports Beam, as the replay did

    summary = replay_summary(totals, time.monotonic() - started, dry_run=how.dry_run)
    print_replay({"client_id": tenant, **told, **summary}, as_json=json)
    sentence, is_done = verdict(tenant, told)
    typer.echo(sentence, err=True)
    if not (is_done or how.dry_run):
        sys.exit(1)


def _released(tenant: str, flow: FlowSettings, slice_bytes: int, settle_s: float, *, dry_run: bool) -> tuple[dict[str, Any], ReplayTotals]:
    """What became of the tenant, and of its letters."""
    # Beam takes seconds to import; the other commands do without it.
    from pipelines.deadletters.replay import replay_letters  # noqa: PLC0415

    held = LetterFilter(frozenset({_HELD}), frozenset({tenant}), frozenset())

    def replayed(beyond: Mapping[Place, int]) -> ReplayTotals:
        return replay_letters(flow.kafka, flow.letters, held, None if dry_run else flow, slice_bytes, beyond, again=True)

    with closing(Neo4jGraphStore(flow.neo4j)) as store:
        store.check_version()
        must_be_known(store, tenant)
        was = next((one for one in read_quarantined(store) if one.client_id == tenant), None)
        told: dict[str, Any] = {"was_set_aside": was is not None, "cause": was.cause if was else "", "state": "as it was"}
        totals = replayed({})
        if dry_run:
            return told, totals
        told["state"] = state_after(tenant, totals)
        if told["state"] != "released":
            return told, totals
        try:
            if take_mark_away(store, tenant):
                _LOG.warning("tenant released", client_id=tenant, letters=totals.letters.total())
        except (RowRefused, TenantFault) as error:
            return told | {"state": "set aside", "cause": str(error)}, totals
        settled = not is_held(store, flow.kafka.group)
        return told | {"state": rest(tenant, totals, replayed, settle_s, is_settled=settled)}, totals


def rest(tenant: str, totals: ReplayTotals, replayed: Pass, settle_s: float, *, is_settled: bool) -> str:
    """Replay what came meanwhile until a pass finds none, adding to the totals; the tenant's state then.

    A slice that began before the mark was gone may still write letters: where a run is at work, one more pass comes
    after `settle_s`.
    """
    while True:
        more = replayed(totals.read_to)
        totals.merge(more)
        state = state_after(tenant, more)
        if state != "released" or (is_settled and not more.letters):
            return state
        if not more.letters:
            time.sleep(settle_s)
            is_settled = True


def state_after(tenant: str, totals: ReplayTotals) -> str:
    """Whether a replay went through: else it was stopped, or the tenant went back to quarantine."""
    if totals.stopped:
        return "stopped"
    return "set aside" if totals.counts.of(REJECT_REASONS)[tenant, _HELD] else "released"


def verdict(tenant: str, told: Mapping[str, Any]) -> tuple[str, bool]:
    """What is said at the end, and whether it is done."""
    if told["state"] == "released":
        was = "is taken in again" if told["was_set_aside"] else "was not in quarantine; what letters there were are replayed"
        return f"{tenant} {was}.", True
    if told["state"] == "stopped":
        return f"Stopped as asked, before all was replayed; {tenant} stays in quarantine: run again for all of it.", False
    if told["state"] == "set aside":
        return f"{tenant} stays in quarantine: it failed as before, see the log for the cause; mend that, then run again.", False
    return f"{tenant} is {'in quarantine' if told['was_set_aside'] else 'not in quarantine'}; nothing was changed.", True
