"""The schema that the job needs, made where it is missing, and graphs of older versions brought over."""

from typing import Any, Final

import neo4j
import structlog

from transforms.io.neo4j.errors import RowRefused, TenantFault
from transforms.io.neo4j.session import GraphSession
from transforms.io.neo4j.spelling import bring_over
from transforms.model import cypher, renaming
from transforms.model.graph import TENANT_KEY

_LOG: Final = structlog.get_logger("graph")
SCHEMA_AWAIT_S: Final = 120
# Populating a new constraint's index reads all that is there.
SCHEMA_TIMEOUT_S: Final = 600.0


def ensure_schema(session: GraphSession) -> None:
    """Make every constraint and index that is missing, wait until all are online, and bring older graphs over; safe to repeat."""
    for statement in cypher.schema_statements():
        session.run_alone(neo4j.Query(statement, timeout=SCHEMA_TIMEOUT_S))
    session.run_alone(neo4j.Query(cypher.AWAIT_INDEXES, timeout=SCHEMA_TIMEOUT_S), seconds=SCHEMA_AWAIT_S)
    for row in session.ask(renaming.TENANTS_TO_SPELL):
        _bring_over(session, row[TENANT_KEY])


def _bring_over(session: GraphSession, client_id: str) -> None:
    """One tenant's failure is no other's: what could not be done is tried again by the next run."""

    def ask(statement: str, **parameters: Any) -> list[dict[str, Any]]:
        return session.ask_tenant(statement, client_id, session.limits.transaction_s, **parameters)

    try:
        renamed = bring_over(ask)
    except (RowRefused, TenantFault) as error:
        _LOG.warning("graph not brought over", client_id=client_id, cause=str(error), detail="the next run tries again (docs/adr/024)")
        return
    if renamed:
        _LOG.info("custom resources have their API group in their rid now", client_id=client_id, renamed=renamed)
