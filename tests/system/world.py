"""The world of system tests: that of the fault suite, and what only tests ask of it."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scripts.world import CHECKOUT, DEADLETTERS, GROUP, Process, World

__all__ = ["CHECKOUT", "DEADLETTERS", "GROUP", "Process", "World", "locked", "named", "value_of"]


@contextmanager
def locked(world: World, client_id: str) -> Iterator[None]:
    """Somebody's transaction that holds the tenant's lock and does not end."""
    with world.graph.session() as session, session.begin_transaction() as held:
        held.run("MATCH (c:Cluster {client_id: $id}) SET c.held = true", id=client_id).consume()
        yield
        held.rollback()


def named(world: World) -> dict[str, str]:
    """The stack's servers as variables, as servers of one's own are named."""
    neo4j = world.stack.neo4j
    return {"KAFKA_BROKERS": world.brokers, "NEO4J_URI": neo4j.uri, "NEO4J_PASSWORD_FILE": str(neo4j.password_file)}


def value_of(letter: dict[str, Any]) -> bytes | None:
    """The original value in a dead letter."""
    return None if letter["value"] is None else base64.b64decode(letter["value"])
