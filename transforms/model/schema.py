"""Uniqueness constraints and indexes, declared by the model: what is made on start and what is looked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from transforms.model.graph import BY_NAMESPACE, NODES, RELATIONSHIPS, RESOURCE, TENANT_KEY


@dataclass(frozen=True, slots=True)
class SchemaElement:
    """A constraint or an index.

    of: the label or relationship type that it is on. is_unique: a constraint, else an index. is_text: a full-text index, which holds
    values as they are, in pieces of at most 255 characters, and follows a transaction a moment later.
    """

    name: str
    of: str
    properties: tuple[str, ...]
    is_unique: bool = False
    on_relationship: bool = False
    is_text: bool = False

    @property
    def statement(self) -> str:
        """Makes it where it is missing; safe to repeat."""
        if self.is_text:
            each = ", ".join(f"n.{name}" for name in self.properties)
            return f"CREATE FULLTEXT INDEX {self.name} IF NOT EXISTS FOR (n:{self.of}) ON EACH [{each}] OPTIONS {{indexConfig: {_TEXT}}}"
        variable = "r" if self.on_relationship else "n"
        what = "CONSTRAINT" if self.is_unique else "INDEX"
        place = f"()-[r:{self.of}]-()" if self.on_relationship else f"(n:{self.of})"
        keys = ", ".join(f"{variable}.{name}" for name in self.properties)
        rule = f"REQUIRE ({keys}) IS UNIQUE" if self.is_unique else f"ON ({keys})"
        return f"CREATE {what} {self.name} IF NOT EXISTS FOR {place} {rule}"


# No analyzer but this one keeps a name whole and bounds it too: an endless word would fail the transaction that writes it.
_TEXT: Final = "{`fulltext.analyzer`: 'unicode_whitespace', `fulltext.eventually_consistent`: true}"
# What people search for; the tenant is one of its words, so that a search of one tenant reads nothing of another.
RESOURCE_TEXT: Final = SchemaElement(
    "resource_text",
    RESOURCE.label,
    (TENANT_KEY, "name", "ns", "labels", "image", "pod_ip", "service_ips", "uid"),
    is_text=True,
)


def schema() -> tuple[SchemaElement, ...]:
    """All of them, in the order in which they are made."""
    return tuple(_elements())


def _elements() -> Iterator[SchemaElement]:
    for node in NODES:
        yield SchemaElement(f"{node.label.lower()}_key", node.label, node.key_properties, is_unique=True)
    for node in NODES:
        for name in node.indexes:
            yield SchemaElement(f"{node.label.lower()}_{name}", node.label, (TENANT_KEY, name))
    for kind in BY_NAMESPACE:
        yield SchemaElement(f"{kind.lower()}_ns", kind, (TENANT_KEY, "ns"))
    yield RESOURCE_TEXT
    for relationship in RELATIONSHIPS:
        for name in relationship.indexes:
            named = f"{relationship.type.lower()}_{name}"
            yield SchemaElement(named, relationship.type, (TENANT_KEY, name), on_relationship=True)
