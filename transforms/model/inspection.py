"""Statements that ask what a server is and how much it holds; they change nothing and return nothing of a tenant's."""

from typing import Final

from transforms.model.graph import CLUSTER

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
