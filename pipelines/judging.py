"""Telling which tenants have fallen silent and which are back."""

from typing import Final

import structlog

from pipelines.settings import FlowSettings
from runners.monitor import Monitor
from transforms.io.cluster_book import process_book
from transforms.planning.liveness import State

_LOG: Final = structlog.get_logger("tenants")


def judge_tenants(flow: FlowSettings, monitor: Monitor | None) -> list[tuple[str, State, State]]:
    """The tenants whose state became another, from and to which; logged, counted, and kept in the graph.

    Call it only where all that was there has been read: what is still to come is silence to nobody.
    """
    book = process_book(flow.neo4j)

    def concerns(client_id: str) -> bool:
        return flow.tenants.client_id in ("", client_id) and flow.tenants.admits(client_id)

    found: list[tuple[str, State, State]] = []
    for one in book.judge(flow.limits, concerns):
        _LOG.warning("tenant is another", client_id=one.client_id, before=one.before, state=one.state, silent_s=one.silent_ms // 1000)
        found.append((one.client_id, one.before, one.state))
        if monitor:
            monitor.turned(one.state)
    if monitor:
        monitor.counted(book.states())
    return found
