"""Reads of tenants' graphs for the search for causes: of many tenants in as many round trips as of the one that asks most often."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import neo4j

from transforms.io.neo4j.rounds import Ask, Question, Rows, by_tenant, in_rounds, merged
from transforms.model import incident_cypher as statements
from transforms.model.graph import TENANT_KEY
from transforms.planning.causes.neighbourhood import (
    HARMLESS,
    MOST_EPISODES,
    MOST_RESOURCES,
    TELLING,
    NeighbourhoodReader,
    Props,
    Since,
    begun,
)

T = TypeVar("T")
_EPISODE: Final = (*statements.EPISODE, *statements.EPISODE_TIMES)
_OBJECT: Final = (*statements.OBJECT, *statements.OBJECT_TIMES)
_WORDS: Final = {"harmless": list(HARMLESS), "telling": list(TELLING)}


class Head(NamedTuple):
    """What is known of a tenant before it is read. writes: the number of its newest write. size: the rows to read, at most; 0: none."""

    writes: int
    newest: str
    size: int


class Neo4jNeighbourhood:
    """Answers as `NeighbourhoodReader` does."""

    def __init__(self, ask: Ask, client_id: str, newest: str) -> None:
        self._ask = ask
        self._client_id = client_id
        self._newest = newest
        self._edges: dict[str, set[tuple[str, str, str]]] = {}

    def _run(self, statement: str, most: int = 0, **parameters: Any) -> Rows:
        return self._ask(Question(statement, [{TENANT_KEY: self._client_id, **parameters}], most))

    def _list(self, statement: str, most: int, **parameters: Any) -> list[Any]:
        return [one for row in self._run(statement, most, **parameters) for one in row["values"]]

    def newest(self) -> str:
        return self._newest

    def episodes(self, since: Since, most: int) -> list[Props]:
        return [dict(zip(_EPISODE, one, strict=True)) for one in self._list(statements.READ_EPISODES, most, **since._asdict())]

    def ailing(self, most: int) -> list[str]:
        return self._list(statements.READ_AILING, most)

    def spaces_on(self, nodes: Collection[str]) -> set[str]:
        return {row["ns"] for row in self._run(statements.READ_SPACES_ON, nodes=list(nodes)) if row["ns"]}

    def spaces_called(self, spaces: Collection[str]) -> set[str]:
        return {row["ns"] for row in self._run(statements.READ_SPACES_CALLED, spaces=list(spaces)) if row["ns"]}

    def resources(self, spaces: Collection[str], ranks: Mapping[str, int], cluster_kinds: Collection[str], most: int) -> dict[str, Props]:
        given = {"spaces": list(spaces), "ranks": dict(ranks), "kinds": sorted(ranks), "cluster_kinds": list(cluster_kinds)}
        found: dict[str, Props] = {}
        for *values, begins, ends in self._list(statements.READ_RESOURCES, most, **given):
            one = {name: value for name, value in zip(_OBJECT, values, strict=True) if value is not None}
            found[one["rid"]] = one
            self._edges[one["rid"]] = {(kind, one["rid"], other) for kind, other in begins} | {
                (kind, other, one["rid"]) for kind, other in ends
            }
        return found

    def edges(self, rids: Collection[str], most: int) -> list[tuple[str, str, str]]:
        """Those that came with the resources."""
        return sorted(set().union(*(self._edges.get(rid, ()) for rid in rids)))[:most]

    def targets_down(self) -> list[Props]:
        return [row["props"] for row in self._run(statements.READ_TARGETS_DOWN)]


class AnalysisTransaction:
    """One transaction in which tenants are read for their analysis."""

    def __init__(self, tx: neo4j.ManagedTransaction) -> None:
        self._tx = tx

    def run(self, statement: str, rows: Sequence[Mapping[str, Any]], **parameters: Any) -> list[neo4j.Record]:
        """The rows that a statement answers; none, without asking, for none."""
        return list(self._tx.run(statement, {"rows": rows, **parameters})) if rows else []

    def heads(self, client_ids: Iterable[str]) -> dict[str, Head]:
        """By tenant; none for one that is unknown or being purged."""
        found = {row[TENANT_KEY]: row for row in self.run(statements.READ_HEADS, [{TENANT_KEY: one} for one in sorted(client_ids)])}
        newest = {one: max((row[name] for name in statements.VERSIONS if row[name]), default="") for one, row in found.items()}
        since = [{TENANT_KEY: client_id, **begun(ver)[1]._asdict()} for client_id, ver in newest.items()]
        sizes = {row[TENANT_KEY]: row for row in self.run(statements.READ_SIZES, since, most=MOST_EPISODES, **_WORDS)}
        return {one: Head(row["writes"], newest[one], _size(row["resources"], sizes[one])) for one, row in found.items()}

    def read(self, heads: Mapping[str, Head], work: Callable[[str, NeighbourhoodReader], T]) -> dict[str, T | Exception]:
        """What each tenant's work comes to that reads its neighbourhood, or the exception that it ended with."""

        def of(client_id: str, head: Head) -> Callable[[Ask], T]:
            return lambda ask: work(client_id, Neo4jNeighbourhood(ask, client_id, head.newest))

        return in_rounds({client_id: of(client_id, head) for client_id, head in heads.items()}, self._answer)

    def _answer(self, questions: Mapping[str, Question]) -> dict[str, Rows]:
        found: dict[str, Rows] = {}
        for (statement, most), rows in merged(questions).items():
            found.update(by_tenant(self.run(statement, rows, most=most, **_WORDS), TENANT_KEY))
        return {client_id: found.get(client_id, []) for client_id in questions}


def _size(resources: int, row: neo4j.Record) -> int:
    seeds = int(row["told"] + row["found"] + row["down"] + row["ailing"])
    return int(min(resources, MOST_RESOURCES) + row["told"] + row["found"]) if seeds else 0
