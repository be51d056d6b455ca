"""A tenant's live nodes of one label, in the order of their keys, each with what begins at it; a page at a time."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import neo4j

from transforms.model.graph import TENANT_KEY
from transforms.planning.diff.comparison import Begins


class StoredLine(NamedTuple):
    """A node as it is stored. counts: whether it counts in the digest."""

    key: str
    props: dict[str, Any]
    counts: bool
    out: list[Begins]


def pages(session: neo4j.Session, statement: str, client_id: str, **parameters: Any) -> Iterator[list[StoredLine]]:
    """All pages that a statement of `cypher.digest_page` gives; each is read in a transaction of its own."""
    after = ""

    def page(tx: neo4j.ManagedTransaction) -> list[neo4j.Record]:
        return list(tx.run(statement, {TENANT_KEY: client_id, "after": after, **parameters}))

    while rows := session.execute_read(page):
        yield [_line(row, client_id) for row in rows]
        after = rows[-1]["key"]


def _line(row: neo4j.Record, client_id: str) -> StoredLine:
    out = [Begins(kind, label, own_key(key, owner, client_id)) for kind, label, key, owner in row["out"]]
    return StoredLine(row["key"], row["props"], row["counts"], out)


def own_key(key: str, owner: str, client_id: str) -> str:
    """The other end's key; one that belongs to another tenant would be a defect, and shows as one in the digest."""
    return key if owner == client_id else f"{owner}::{key}"
