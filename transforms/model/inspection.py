"""Statements that ask what a server is and how much it holds; they change nothing and return nothing of a tenant's."""

from typing import Final

from transforms.model.graph import CLUSTER

# What a transaction of the job is found by among those that the server runs.
TRANSACTION_MARK: Final = "graph_build"

COMPONENTS: Final = "CALL dbms.components() YIELD versions, edition RETURN versions[0] AS version, edition LIMIT 1"
DATABASE: Final = (
    "SHOW DATABASES YIELD name, aliases, access, currentStatus, writer WHERE name = $database_name OR $database_name IN aliases\n"
    "RETURN access, currentStatus AS status, writer"
)
# A constraint is told by the index that it owns, which bears its name.
INDEXES: Final = (
    "SHOW INDEXES YIELD name, type, labelsOrTypes, properties, state, owningConstraint WHERE type <> 'LOOKUP'\n"
    "RETURN name, type, labelsOrTypes AS of, properties, state, owningConstraint IS NOT NULL AS is_unique"
)
CLOCK: Final = "RETURN timestamp() AS now_ms"
SIZES: Final = {
    "nodes": "MATCH (n) RETURN count(n) AS found",
    "relationships": "MATCH ()-[r]->() RETURN count(r) AS found",
    "tenants": f"MATCH (c:{CLUSTER.label}) RETURN count(c) AS found",
}
# Of those with one of `$marks`, the transactions that do nothing at this moment but wait for a lock, and for how long they have.
BLOCKED_TRANSACTIONS: Final = (
    f"SHOW TRANSACTIONS YIELD transactionId, metaData, status, waitTime WHERE metaData.{TRANSACTION_MARK} IN $marks\n"
    "AND status STARTS WITH 'Blocked'\n"
    f"RETURN transactionId AS id, metaData.{TRANSACTION_MARK} AS mark, status, waitTime.milliseconds AS waited_ms"
)
END_TRANSACTIONS: Final = "TERMINATE TRANSACTIONS $ids"
