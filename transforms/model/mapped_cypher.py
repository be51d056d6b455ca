"""The statements that read an older graph by its mapping: names of it stand quoted, texts of it are bound."""

from typing import Any, Final, NamedTuple

from transforms.model.graph import TENANT_KEY
from transforms.model.graph_mapping import GraphMapping, KeyPart, MappedNode

# Each page sorts what is left of the label, since nothing is known of the older graph's indexes: larger pages, fewer sorts.
MAPPED_PAGE_SIZE: Final = 5000


class MappedStatement(NamedTuple):
    """A statement with the parameters that it always has."""

    text: str
    parameters: dict[str, Any]


def mapped_page(mapping: GraphMapping, mapped: MappedNode) -> MappedStatement:
    """A page of nodes after the key `$after`, in the order of their keys, of one tenant where the mapping has tenants.

    Nothing forbids two nodes of one key there: among these, the page goes on after the element id `$after_id`.
    Rows: key, id, values (in the order of the mapping's properties), out (type, our label, key, tenant of each end).
    """
    parameters: dict[str, Any] = {"types": sorted(mapping.relationships.values())}
    tenant = f"WHERE n.{_quoted(mapping.tenant)} = ${TENANT_KEY}\n" if mapping.tenant else ""
    labels = " ".join(f"WHEN m:{_labels(other)} THEN '{other.node.label}'" for other in mapping.nodes)
    keys = " ".join(f"WHEN m:{_labels(other)} THEN {_key('m', other.key, parameters)}" for other in mapping.nodes)
    owner = f"m.{_quoted(mapping.tenant)}" if mapping.tenant else "null"
    values = ", ".join(f"n.{_quoted(one.name)}" for one in mapped.properties.values())
    text = (
        f"MATCH (n:{_labels(mapped)})\n{tenant}"
        f"WITH n, {_key('n', mapped.key, parameters)} AS key, elementId(n) AS id\n"
        "WHERE key > $after OR (key = $after AND id > $after_id)\n"
        f"WITH n, key, id ORDER BY key, id LIMIT {MAPPED_PAGE_SIZE}\n"
        f"RETURN key, id, [{values}] AS values,\n"
        f"  [(n)-[r]->(m) WHERE type(r) IN $types | [type(r), CASE {labels} END, CASE {keys} END, {owner}]] AS out"
    )
    return MappedStatement(text, parameters)


def mapped_tenants(mapping: GraphMapping) -> str:
    """The tenants of the older graph; for a mapping that has tenants."""
    tenant = _quoted(mapping.tenant)
    each = (f"MATCH (n:{_labels(one)}) WHERE n.{tenant} IS NOT NULL\nRETURN n.{tenant} AS {TENANT_KEY}" for one in mapping.nodes)
    return "\nUNION\n".join(each)


def _labels(mapped: MappedNode) -> str:
    return "|".join(_quoted(label) for label in mapped.labels)


def _quoted(name: str) -> str:
    """The name as an identifier; `graph_mapping` lets no backtick and no backslash into one."""
    return f"`{name}`"


def _key(variable: str, parts: tuple[KeyPart, ...], parameters: dict[str, Any]) -> str:
    """The key as an expression; its literal texts become parameters. A property that is missing is empty text.

    Always joined, if only with nothing: the server compares stored texts in another way than joined ones, and both at times.
    """
    return " + ".join([*(_part(variable, part, parameters) for part in parts), "''"])


def _part(variable: str, part: KeyPart, parameters: dict[str, Any]) -> str:
    if part.name:
        value = f"coalesce(toString({variable}.{_quoted(part.name)}), '')"
        return f"toLower({value})" if part.lower else value
    known = next((name for name, literal in parameters.items() if name.startswith("text_") and literal == part.literal), None)
    name = known or f"text_{len(parameters)}"
    parameters[name] = part.literal
    return f"${name}"
