"""Graphs from before API groups were part of every custom resource's rid, brought over where they stand (docs/adr/024).

Nodes keep their relationships, contents and versions; only their rid changes. Each tenant is brought over once, in slices under its
lock; the next run continues where one was stopped. Tenants that are new begin as brought over.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from transforms.model import renaming
from transforms.model.identity import bare_of, kind_token

SLICE_ROWS: Final = 2000

Ask = Callable[..., list[dict[str, Any]]]


def bring_over(ask: Ask) -> int:
    """Give every node of one tenant the rid that its kind and group make; how many were given one.

    ask: runs a statement on the tenant in a transaction of its own, and gives its rows.
    """
    rows = list(_renamings(ask(renaming.READ_SPELT)))
    slices = [rows[begin : begin + SLICE_ROWS] for begin in range(0, len(rows), SLICE_ROWS)]
    renamed = sum(int(ask(renaming.SPELL, rows=one)[0]["renamed"]) for one in slices)
    ask(renaming.MARK_SPELT)
    return renamed


def _renamings(nodes: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    for node in nodes:
        kind, _, rest = node["rid"].partition(":")
        now = f"{kind_token(kind, node['api_version'])}:{rest}"
        if bare_of(now) == node["rid"]:
            yield {"rid": node["rid"], "now": now}
