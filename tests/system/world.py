"""The world of system tests: that of the fault suite, and what only tests ask of it."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scripts.world import CHECKOUT, DEADLETTERS, GROUP, Process, World

__all__ = ["CHECKOUT", "DEADLETTERS", "GROUP", "Process", "World", "locked", "value_of"]


@contextmanager
def locked(world: World, client_id: str) -> Iterator[None]:
    """Somebody's transaction that holds the tenant's lock and does not end."""
    with world.graph.session() as session, session.begin_transaction() as held:
        held.run("MATCH (c:Cluster {client_id: $id}) SET c.held = true", id=client_id).consume()
        yield
        held.rollback()


def value_of(letter: dict[str, Any]) -> bytes | None:
    """The original value in a dead letter."""
    return None if letter["value"] is None else base64.b64decode(letter["value"])
