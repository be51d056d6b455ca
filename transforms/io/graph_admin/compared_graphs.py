"""Two kinds of graphs to compare: one that this job wrote, and an older builder's, read by a mapping. Nothing is written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from transforms.io.faults import InfrastructureFault
from transforms.io.neo4j.digest import contract_properties, plain_value
from transforms.io.neo4j.pages import StoredLine, own_key, pages
from transforms.io.neo4j.target import Neo4jTarget
from transforms.model import cypher
from transforms.model.graph import TENANT_KEY, NodeLabel
from transforms.model.graph_mapping import PAIRS, GraphMapping, MappedNode, MappedProperty
from transforms.model.mapped_cypher import MappedStatement, mapped_page, mapped_tenants
from transforms.planning.diff.comparison import Begins, Line
from transforms.planning.facts.values import CANONICAL, pairs_of

_EMPTY: Final[tuple[Any, ...]] = (None, "", [])


class _Reader:
    """A connection whose faults name the side; reads only."""

    def __init__(self, side: str, target: Neo4jTarget) -> None:
        self._side, self._target = side, target
        self._driver = target.open()

    def close(self) -> None:
        self._driver.close()

    @contextmanager
    def _session(self) -> Iterator[neo4j.Session]:
        try:
            with self._driver.session(database=self._target.database, default_access_mode=neo4j.READ_ACCESS) as session:
                yield session
        except (Neo4jError, DriverError) as error:
            said = " ".join((getattr(error, "message", None) or str(error)).split())[:300] or type(error).__name__
            name = self._side.upper()
            raise InfrastructureFault(
                f"The {self._side} graph, {self._target.database} at {self._target.address}, cannot be read ({said}); start it, or fix "
                f"--{self._side}, NEO4J_{name}_USER, NEO4J_{name}_PASSWORD or NEO4J_{name}_PASSWORD_FILE, then compare again."
            ) from error

    def _rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        with self._session() as session:
            return session.execute_read(lambda tx: [row.data() for row in tx.run(statement, parameters)])


class OwnSide(_Reader):
    """A graph that this job wrote: all of what counts in its digest, or what a mapping names of it."""

    def __init__(self, side: str, target: Neo4jTarget, mapping: GraphMapping | None = None) -> None:
        super().__init__(side, target)
        self._mapping = mapping

    def tenants(self) -> list[str]:
        return [row[TENANT_KEY] for row in self._rows(cypher.TENANTS)]

    def writes(self, client_id: str) -> int | None:
        """How often the tenant's graph was written; None where it has none."""
        rows = self._rows(cypher.WRITES_OF_TENANT, **{TENANT_KEY: client_id})
        return rows[0]["writes"] if rows else None

    def nodes(self, node: NodeLabel, client_id: str) -> Iterator[Line]:
        statement = MappedStatement(cypher.digest_page(node), {})
        if self._mapping:
            statement = MappedStatement(cypher.digest_page(node, of_types=True), {"types": sorted(self._mapping.relationships)})
        with self._session() as session:
            for page in pages(session, statement.text, client_id, **statement.parameters):
                yield from (self._line(node, one) for one in page if one.counts)

    def _line(self, node: NodeLabel, one: StoredLine) -> Line:
        props = contract_properties(node, one.props)
        if self._mapping is None:
            return Line(one.key, props, one.out)
        named = {name: props.get(name) for name in self._mapping.properties[node.label]}
        return Line(one.key, _without_empty(named), [begins for begins in one.out if begins.type in self._mapping.relationships])


class MappedSide(_Reader):
    """An older builder's graph, read by its mapping."""

    def __init__(self, side: str, target: Neo4jTarget, mapping: GraphMapping) -> None:
        super().__init__(side, target)
        self._mapping = mapping
        self._ours = {theirs: ours for ours, theirs in mapping.relationships.items()}

    def tenants(self) -> list[str]:
        return sorted(str(row[TENANT_KEY]) for row in self._rows(mapped_tenants(self._mapping)))

    def writes(self, client_id: str) -> int | None:
        """None: an older graph does not say."""

    def nodes(self, node: NodeLabel, client_id: str) -> Iterator[Line]:
        mapped = next(one for one in self._mapping.nodes if one.node is node)
        statement = mapped_page(self._mapping, mapped)
        at = {"after": "", "after_id": ""}
        with self._session() as session:
            while rows := session.execute_read(_page, statement, {TENANT_KEY: client_id, **at}):
                yield from (self._line(mapped, row, client_id) for row in rows)
                at = {"after": rows[-1]["key"], "after_id": rows[-1]["id"]}

    def _line(self, mapped: MappedNode, row: neo4j.Record, client_id: str) -> Line:
        named = zip(mapped.properties.items(), row["values"], strict=True)
        props = _without_empty({name: _converted(how, value) for (name, how), value in named})
        out = [self._begins(end, client_id) for end in row["out"] if end[1] is not None]
        return Line(row["key"], props, out)

    def _begins(self, end: list[Any], client_id: str) -> Begins:
        kind, label, key, owner = end
        return Begins(self._ours[kind], label, own_key(key, str(owner), client_id) if self._mapping.tenant else key)


def _page(tx: neo4j.ManagedTransaction, statement: MappedStatement, at: dict[str, Any]) -> list[neo4j.Record]:
    return list(tx.run(statement.text, {**statement.parameters, **at}))


def _without_empty(props: Mapping[str, Any]) -> dict[str, Any]:
    """Builders differ in whether they write what is empty; where a mapping compares, it counts as absent on both sides."""
    return {name: value for name, value in props.items() if value not in _EMPTY}


def _converted(how: MappedProperty, value: Any) -> Any:
    """A value of an older graph as ours; one that is not what the mapping says stays as it is, and so differs."""
    if not how.conversion or value is None:
        return plain_value(value)
    try:
        held = msgspec.json.decode(value) if isinstance(value, str) else value
    except msgspec.DecodeError:
        return value
    if how.conversion != PAIRS:
        return CANONICAL.encode(held).decode()
    return sorted(map(str, held)) if isinstance(held, list) else pairs_of(held) if isinstance(held, dict) else value
