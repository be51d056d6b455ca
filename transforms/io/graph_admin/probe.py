"""What Neo4j tells of itself: server, database, schema, sizes, clock, lease. Nothing is written that stays.

Every question is bounded in time; one that Neo4j refuses or does not answer is `ProbeError`, never an exception.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from transforms.io.answers import ProbeError
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_admin.group_progress import kept_name, stands_of
from transforms.io.kafka.partitions import Place
from transforms.io.kafka.ranges import CommittedPosition
from transforms.io.neo4j.target import Neo4jTarget
from transforms.model import cypher, inspection
from transforms.model.graph import LEASE, TENANT_KEY
from transforms.records.outcomes import NO_TENANT

CONNECT_S: Final = 5.0
_ASK_S: Final = 10.0
_SYSTEM: Final = "system"

T = TypeVar("T")


class Server(NamedTuple):
    """A server that let the user in. edition: "" where it does not say."""

    version: str
    edition: str = ""


class DatabaseTold(NamedTuple):
    """One server's view of the database. access: `read-write` or `read-only`."""

    access: str
    status: str
    writer: bool


class Index(NamedTuple):
    """An index as it is there; is_unique: a constraint owns it."""

    name: str
    of: str
    properties: tuple[str, ...]
    is_unique: bool
    state: str
    type: str


class LeaseTold(NamedTuple):
    """A lease as the graph has it; left_s: until it runs out, negative once it has."""

    holder: str
    left_s: float


class ClockTold(NamedTuple):
    """A clock compared with this machine's: how far it is ahead, and how exactly that is known, in seconds."""

    ahead_s: float
    within_s: float


class Neo4jProbe:
    """Asks one database; close it with the owner.

    Raises InfrastructureFault where the password or the URI cannot be used.
    """

    def __init__(self, target: Neo4jTarget) -> None:
        self._target = target
        if target.ca_file:
            _check_readable(target.ca_file)
        self._driver = replace(target, retry_s=0.0).open(CONNECT_S)

    def close(self) -> None:
        self._driver.close()

    def server(self) -> Server | ProbeError:
        """The server, once it has let the user in."""

        def ask() -> Server:
            said = self._driver.get_server_info().agent.partition("/")[2]
            rows = _asked(lambda: self._rows(inspection.COMPONENTS, _SYSTEM))
            return Server(said) if isinstance(rows, ProbeError) else Server(rows[0]["version"], rows[0]["edition"])

        return _asked(ask)

    def _rows(self, statement: str, database: str = "", **parameters: Any) -> list[dict[str, Any]]:
        query = neo4j.Query(statement, timeout=_ASK_S)
        with self._driver.session(database=database or self._target.database, default_access_mode=neo4j.READ_ACCESS) as session:
            return [row.data() for row in session.run(query, parameters)]

    def database(self) -> list[DatabaseTold] | ProbeError:
        """What each server says of the database; nothing where it does not exist or this user may not know of it."""
        rows = _asked(lambda: self._rows(inspection.DATABASE, _SYSTEM, database_name=self._target.database))
        return rows if isinstance(rows, ProbeError) else [DatabaseTold(row["access"], row["status"], bool(row["writer"])) for row in rows]

    def writing(self) -> ProbeError | None:
        """None where this user may write to the database: a node is made in a transaction that is rolled back."""
        key = {TENANT_KEY: NO_TENANT, "name": f"doctor {uuid.uuid4()}"}

        def ask() -> None:
            with self._driver.session(database=self._target.database) as session, session.begin_transaction(timeout=_ASK_S) as tx:
                tx.run(cypher.TRY_TO_WRITE, key).consume()
                tx.rollback()

        return _asked(ask)

    def indexes(self) -> list[Index] | ProbeError:
        """Every constraint and index of the database; lookup indexes are no matter here."""
        rows = _asked(lambda: self._rows(inspection.INDEXES))
        if isinstance(rows, ProbeError):
            return rows
        return [
            Index(row["name"], "|".join(row["of"] or ()), tuple(row["properties"] or ()), row["is_unique"], row["state"], row["type"])
            for row in rows
        ]

    def sizes(self) -> dict[str, int] | ProbeError:
        """How many nodes, relationships and tenants there are, by these names."""
        return _asked(lambda: {name: int(self._rows(statement)[0]["found"]) for name, statement in inspection.SIZES.items()})

    def lease(self, group: str) -> LeaseTold | ProbeError | None:
        """The group's lease; None where no run holds one."""
        rows = _asked(lambda: self._rows(cypher.LOOK_AT_LEASE, **{TENANT_KEY: NO_TENANT, LEASE.key: group}))
        if isinstance(rows, ProbeError):
            return rows
        return LeaseTold(rows[0]["holder"], rows[0]["left_ms"] / 1000) if rows else None

    def kept_offsets(self, group: str) -> tuple[dict[Place, CommittedPosition], float]:
        """Where the group stood as the graph keeps it, and how many seconds ago; nothing where it does not say."""
        rows = _asked(lambda: self._rows(cypher.READ_KEPT_OFFSETS, **{TENANT_KEY: NO_TENANT}, kept=kept_name(group)))
        return ({}, 0.0) if isinstance(rows, ProbeError) else stands_of(rows)

    def clock(self) -> ClockTold | ProbeError:
        """The server's clock against this machine's; half the time that the answer took is uncertain."""

        def ask() -> ClockTold:
            before = time.time()
            now_s = float(self._rows(inspection.CLOCK)[0]["now_ms"]) / 1000
            after = time.time()
            return ClockTold(now_s - (before + after) / 2, (after - before) / 2)

        return _asked(ask)


def _asked(ask: Callable[[], T]) -> T | ProbeError:
    try:
        return ask()
    except (Neo4jError, DriverError, OSError) as error:
        said = getattr(error, "message", None) or str(error)
        return ProbeError(" ".join(said.split())[:300] or type(error).__name__, getattr(error, "code", None) or type(error).__name__)


def _check_readable(ca_file: str) -> None:
    try:
        Path(ca_file).open("rb").close()
    except OSError as error:
        raise InfrastructureFault(f"The certificates in {ca_file} cannot be read ({error.strerror}); fix NEO4J_CA_FILE.") from None
