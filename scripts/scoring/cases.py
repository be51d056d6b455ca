"""Labelled incidents as records on disk, and the graph that they come to in this process."""

import gzip
import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from scripts.scoring.perturb import SHIFT, perturbed
from transforms.planning.causes.neighbourhood import read_neighbourhood
from transforms.planning.causes.world import Rows
from transforms.planning.facts.mutations import Mutation
from transforms.planning.interpret.dispatch import interpret
from transforms.planning.merge.fold import Folded, Interpreted, fold
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Filtered
from transforms.records.record import KafkaRecord
from transforms.records.rejects import Fault
from transforms.testing.memory_graph import MemoryGraphStore
from transforms.testing.memory_incidents import MemoryNeighbourhood

RECORDS = "records.jsonl.gz"
LABEL = "case.json"


class Case(NamedTuple):
    """A labelled incident. right: the rids that count as its cause; none for a cluster that works.

    seed: 0: as it is; else with other names, and all times later by `shift` (`perturb.py`).
    """

    name: str
    folder: Path
    category: str
    cause: str
    right: frozenset[str]
    seed: int = 0
    shift: timedelta = SHIFT


def cases(folder: Path, seed: int = 0, every: int = 1) -> list[Case]:
    """Every so many-th of those below the folder, by name; FileNotFoundError where there are none. seed: as in `Case`."""
    found = [_case(one, seed) for one in sorted(folder.rglob(LABEL))[::every]]
    if not found:
        raise FileNotFoundError(f"{folder} holds no {LABEL}; give a folder of cases, each with {LABEL} and {RECORDS}")
    return found


def _case(label: Path, seed: int) -> Case:
    said = json.loads(label.read_text())
    if seed:
        _, said = perturbed(_lines(label.parent), said, seed)
    right = frozenset(f"{one['kind'].lower()}:{one.get('ns', '')}:{one['name']}" for one in (*said["truth"], *said.get("related", ())))
    return Case(said["case"], label.parent, said["category"], said["cause"], right, seed)


def _lines(folder: Path) -> list[str]:
    with gzip.open(folder / RECORDS, "rt", encoding="utf-8") as lines:
        return list(lines)


def _values(case: Case) -> Iterator[dict[str, Any]]:
    lines = _lines(case.folder)
    if case.seed:
        yield from perturbed(lines, json.loads((case.folder / LABEL).read_text()), case.seed, case.shift)[0]
    else:
        yield from map(json.loads, lines)


def records(case: Case) -> Iterator[KafkaRecord]:
    """The case's records, each at its place in a topic of one partition."""
    offsets: dict[str, int] = {}
    for one in _values(case):
        topic = one["topic"]
        offset = offsets.get(topic, 0)
        offsets[topic] = offset + 1
        key, value = one["key"], one["value"]
        held = None if value is None else json.dumps(value, ensure_ascii=False).encode()
        yield KafkaRecord(topic, 0, offset, one["timestamp_ms"], None if key is None else key.encode(), held, ())


def mutations_of(held: Iterable[KafkaRecord]) -> tuple[str, list[Mutation]]:
    """The tenant, and what the records mean, folded, by the job's own decoder and interpretation; what is rejected means nothing."""
    folded: Folded = {}
    client_id = ""
    for record in held:
        decoded = decode_record(record)
        if decoded.body is None or isinstance(decoded.body, Filtered):
            continue
        client_id = decoded.key.client_id or ""
        try:
            meant = interpret(record.topic, decoded.body, client_id, decoded.ver, raw_key=decoded.key.raw)
        except Fault:
            continue
        fold(folded, (Interpreted(one, None) for one in meant))
    return client_id, [one.mutation for one in folded.values()]


def rows_of(case: Case) -> tuple[str, Rows]:
    """The tenant, and its neighbourhood after all records, by the job's own planning."""
    store = MemoryGraphStore()
    client_id, mutations = mutations_of(records(case))
    store.write_batch(client_id, mutations)
    return client_id, read_neighbourhood(MemoryNeighbourhood(store.tenants[client_id]))
