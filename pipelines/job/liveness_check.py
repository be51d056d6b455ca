"""Telling which tenants have fallen silent and which are back."""

from collections.abc import Iterable
from typing import Final

import structlog

from pipelines.settings import FlowSettings
from runners.observe.metrics import Monitor
from transforms.io.graph_admin.tenant_registry import process_tenant_registry
from transforms.io.kafka.offsets import HeldBack, PartitionFault
from transforms.planning.lifecycle.liveness import Limits, State
from transforms.records.tenancy.routes import route_of
from transforms.records.topic_names import TOPIC_NAMES

_LOG: Final = structlog.get_logger("tenants")


# Of the time after which a silent tenant is stale: what is hidden for less than this makes nobody so.
_HIDDEN_PART: Final = 0.25


def hidden_topics(left_out: Iterable[PartitionFault], held_back: Iterable[HeldBack], limits: Limits) -> frozenset[str]:
    """The topics in which there may be signs of life that nobody is given to read.

    Producers with transactions hold something back at any moment; it counts where it has been held back for long, or where nobody
    knows for how long.
    """
    least_s = limits.stale_ms * _HIDDEN_PART / 1000
    return frozenset([one.topic for one in left_out] + [one.topic for one in held_back if one.for_s is None or one.for_s >= least_s])


def judge_tenants(flow: FlowSettings, monitor: Monitor | None, hidden: frozenset[str] = frozenset()) -> list[tuple[str, State, State]]:
    """The tenants whose state became another, from and to which; logged, counted, and kept in the graph.

    Call it only where all that was there has been read: what is still to come is silence to nobody.
    hidden: topics of which not all could be read. Who may be heard there falls silent for nobody: of a topic of one cluster, that
    cluster; of a shared topic, all.
    """
    owners = {route_of(topic, flow.patterns, TOPIC_NAMES).client_id for topic in hidden}
    book = process_tenant_registry(flow.neo4j)

    def concerns(client_id: str) -> bool:
        return flow.tenants.client_id in ("", client_id) and flow.tenants.admits(client_id)

    found: list[tuple[str, State, State]] = []

    def may_be_silent(client_id: str) -> bool:
        return not owners or (None not in owners and client_id not in owners)

    for one in book.judge(flow.limits, concerns, may_be_silent):
        _LOG.warning("tenant state changed", client_id=one.client_id, before=one.before, state=one.state, silent_s=one.silent_ms // 1000)
        found.append((one.client_id, one.before, one.state))
        if monitor:
            monitor.turned(one.state)
    if monitor:
        monitor.tenants(book.states())
        monitor.incidents(book.open_incidents())
    return found
