"""Graphs from before API groups were part of every custom resource's rid, brought over where they stand (docs/adr/024).

Nodes keep their relationships, contents and versions; only their rid changes. Each tenant is looked at once, in slices under its
lock; what is stopped anywhere is gone on with by the next run.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from transforms.model import renaming
from transforms.model.graph import TENANT_KEY
from transforms.model.identity import bare_of, kind_token

SLICE_ROWS: Final = 2000

Ask = Callable[..., list[dict[str, Any]]]


def bring_over(ask: Ask) -> int:
    """Give every node of every tenant the rid that its kind and group make; how many were given one.

    ask: runs a statement in a transaction of its own, and gives its rows.
    """
    renamed = 0
    for tenant in ask(renaming.TENANTS_TO_SPELL):
        named = {TENANT_KEY: tenant[TENANT_KEY]}
        rows = list(_renamings(ask(renaming.READ_SPELT, **named)))
        for begin in range(0, len(rows), SLICE_ROWS):
            renamed += int(ask(renaming.SPELL, **named, rows=rows[begin : begin + SLICE_ROWS])[0]["renamed"])
        ask(renaming.MARK_SPELT, **named)
    return renamed


def _renamings(nodes: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    for node in nodes:
        kind, _, rest = node["rid"].partition(":")
        now = f"{kind_token(kind, node['api_version'])}:{rest}"
        if bare_of(now) == node["rid"]:
            yield {"rid": node["rid"], "now": now}
