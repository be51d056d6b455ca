"""The schema that the job needs, made where it is missing, and graphs of older versions brought over."""

from typing import Any, Final

import neo4j
import structlog

from transforms.io.faults import GraphTooNew, InfrastructureFault
from transforms.io.neo4j.errors import RowRefused, TenantFault
from transforms.io.neo4j.session import GraphSession
from transforms.io.neo4j.spelling import bring_over
from transforms.model import cypher, renaming, schema_version, server_version
from transforms.model.graph import TENANT_KEY
from transforms.records.outcomes import NO_TENANT

_LOG: Final = structlog.get_logger("graph")
SCHEMA_AWAIT_S: Final = 120
# Populating a new constraint's index reads all that is there.
SCHEMA_TIMEOUT_S: Final = 600.0
_SCHEMA_KEY: Final = {TENANT_KEY: NO_TENANT, "name": schema_version.NAME}


def ensure_schema(session: GraphSession) -> None:
    """Create what is missing and bring an older graph over; safe to repeat. Raises as `create_schema` does."""
    _migrate(session, create_schema(session))


def create_schema(session: GraphSession) -> int:
    """Make every constraint and index that is missing, and wait until all are online; safe to repeat, beside a running job too.

    The version that the graph's schema has, as `check_version` says it. Raises GraphTooNew, with nothing made, where a newer
    version of the job has changed the graph.
    """
    version = check_version(session)
    for statement in cypher.schema_statements():
        session.run_alone(neo4j.Query(statement, timeout=SCHEMA_TIMEOUT_S))
    session.run_alone(neo4j.Query(cypher.AWAIT_INDEXES, timeout=SCHEMA_TIMEOUT_S), seconds=SCHEMA_AWAIT_S)
    return version


def check_version(session: GraphSession) -> int:
    """The version of the graph's schema, 0 where it says none; GraphTooNew where this version of the job does not know it.

    InfrastructureFault where the server is older than the statements.
    """
    agent = session.server_agent()
    if server_version.is_too_old(agent):
        raise InfrastructureFault(
            f"{agent} is too old for the statements: upgrade the server to Neo4j {server_version.LEAST_TEXT} or newer, then run again."
        )
    found = session.ask(schema_version.READ_VERSION, **_SCHEMA_KEY)
    version = int(found[0]["version"] or 0) if found else 0
    if version > schema_version.VERSION:
        raise GraphTooNew(
            f"The graph has version {version} of the schema and this version of graph-build knows {schema_version.VERSION} at most: "
            "run the newer one, or restore the backup from before the upgrade."
        )
    return version


def migrate(session: GraphSession) -> None:
    """Bring a graph of an older version over, tenant by tenant, and then mark it with this version.

    Where it is stopped, the next call goes on with the tenants that are left. A tenant that cannot be brought over keeps the graph's
    version from going up, and is tried again by the next call. Call it while no older version of the job writes the graph.
    """
    _migrate(session, check_version(session))


def _migrate(session: GraphSession, version: int) -> None:
    # Asked for at every version: a job from before there were versions may have run in between, and made tenants of its own.
    tenants = [row[TENANT_KEY] for row in session.ask(renaming.TENANTS_TO_SPELL)]
    left = [client_id for client_id in tenants if not _bring_over(session, client_id)]
    if version < schema_version.VERSION and not left:
        session.ask(schema_version.RAISE_VERSION, **_SCHEMA_KEY, version=schema_version.VERSION)
        _LOG.info("graph has the schema of this version", version=schema_version.VERSION, tenants_brought_over=len(tenants))


def _bring_over(session: GraphSession, client_id: str) -> bool:
    """Whether the tenant is brought over. One tenant's failure is no other's: what could not be done is tried again by the next run."""

    def ask(statement: str, **parameters: Any) -> list[dict[str, Any]]:
        return session.ask_tenant(statement, client_id, session.limits.transaction_s, **parameters)

    try:
        renamed = bring_over(ask)
    except (RowRefused, TenantFault) as error:
        _LOG.warning("graph not brought over", client_id=client_id, cause=str(error), detail="the next run tries again (docs/adr/024)")
        return False
    if renamed:
        _LOG.info("custom resources have their API group in their rid now", client_id=client_id, renamed=renamed)
    return True
