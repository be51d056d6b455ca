"""The labelled incidents, where they are: the score that the documentation promises, whatever things are called and however records come.

`--long` plays all of them in every way; otherwise a share.
"""

import os
import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations, islice
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from scripts.scoring.cases import Case, cases, mutations_of, records, rows_of
from scripts.scoring.labels import RIGHT
from scripts.scoring.measure import figures, measure, without_own_rule
from transforms.planning.causes import graph_rows
from transforms.planning.causes.incidents import analyse
from transforms.planning.causes.neighbourhood import read_neighbourhood
from transforms.records.record import KafkaRecord
from transforms.testing.memory_graph import MemoryGraphStore
from transforms.testing.memory_incidents import MemoryIncidents, MemoryNeighbourhood

CHECKOUT: Final = Path(__file__).resolve().parents[3]
FOLDER: Final = Path(os.environ.get("LABELLED_CASES") or CHECKOUT.parent / "shared" / "data" / "labelled" / "dev")
SEEDS: Final = (7, 18)
ORDERS: Final = 155
SLICES: Final = (1, 3, 7)
PAIRS: Final = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"{FOLDER} is no folder of labelled incidents; LABELLED_CASES names another"),
]


@pytest.fixture(scope="module")
def is_long(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--long"))


def share(is_long: bool, every: int, seed: int = 0) -> list[Case]:
    return cases(FOLDER, seed, 1 if is_long else every)


def test_labelled_incidents_are_found_as_the_documentation_says(is_long: bool) -> None:
    held = [(case, *rows_of(case)) for case in share(is_long, 3)]
    found = [measure(case, client_id, rows) for case, client_id, rows in held]
    shares = figures(found)
    assert all(one.case.cause in RIGHT for one in found)
    assert shares["A@1"] >= 0.95
    assert shares["A@3"] >= 0.98
    assert shares["type"] >= 0.93
    without = figures(without_own_rule(held, found))
    assert without["A@1"] >= 0.80
    assert without["A@3"] >= 0.93


@pytest.mark.parametrize("seed", SEEDS)
def test_causes_are_found_whatever_things_are_called(seed: int, is_long: bool) -> None:
    found = [measure(case, *rows_of(case)) for case in share(is_long, 6, seed)]
    shares = figures(found)
    assert shares["A@1"] >= 0.95, [(one.case.name, one.why) for one in found if one.why]
    assert shares["type"] >= 0.93, [(one.case.name, one.why) for one in found if one.why]


def test_any_order_slicing_and_repetition_gives_equal_graphs_and_incidents(is_long: bool) -> None:
    listed = cases(FOLDER)
    for at in range(ORDERS if is_long else 3):
        case = listed[(at * 31) % len(listed)]
        held = list(records(case))
        expected = digest(case, held, 1)
        chance = random.Random(at)
        shuffled = [*held, *chance.sample(held, len(held) // 5)]
        chance.shuffle(shuffled)
        for slices in SLICES:
            assert digest(case, shuffled, slices) == expected, (case.name, at, slices)


def digest(case: Case, held: list[KafkaRecord], slices: int) -> str:
    """After the records in so many slices, with an analysis after each."""
    store, size = MemoryGraphStore(), -(-len(held) // slices)
    for begin in range(0, len(held), size):
        client_id, mutations = mutations_of(held[begin : begin + size])
        store.write_batch(client_id, mutations)
        MemoryIncidents(store).analyse([client_id])
    (client_id,) = store.tenants
    return store.digest(client_id).hexdigest()


def pairs(listed: list[Case]) -> Iterator[tuple[Case, Case]]:
    """Faults of workloads, in clusters of one kind, of which neither brings the other about."""
    local = [one for one in listed if one.category in ("startup", "runtime", "service")]
    found = list(combinations(local, 2))
    random.Random(1).shuffle(found)
    yield from found


def test_two_faults_at_once_are_two_incidents_each_with_its_own_cause_first(is_long: bool) -> None:
    tried = right = 0
    misses = []
    for first, second in islice(pairs(cases(FOLDER)), PAIRS if is_long else 4):
        roots = roots_of(list(records(first)), second)
        (other,) = cases(second.folder, SEEDS[0])
        wanted = (first.right, other.right)
        is_right = len(roots) == len(wanted) and all(not of.isdisjoint(roots) for of in wanted)
        tried, right = tried + 1, right + is_right
        misses += [] if is_right else [(first.name, second.name, roots)]
    assert right >= 0.95 * tried, misses


def roots_of(first: list[KafkaRecord], second: Case) -> list[str]:
    """Of the incidents of a cluster with the second case beside the first, under other names and at the same time."""
    tenant = (first[0].key or b"").partition(b"::")[0]
    apart_ms = max(one.timestamp_ms for one in first) - max(one.timestamp_ms for one in records(second))
    renamed = second._replace(seed=SEEDS[0], shift=timedelta(seconds=apart_ms // 1000))
    beside = []
    for at, one in enumerate(records(renamed)):
        key = tenant + b"::" + (one.key or b"").partition(b"::")[2]
        beside.append(replace(one, key=key, offset=len(first) + at))
    client_id, mutations = mutations_of([*first, *beside])
    store = MemoryGraphStore()
    store.write_batch(client_id, mutations)
    analysis = analyse(client_id, read_neighbourhood(MemoryNeighbourhood(store.tenants[client_id])))
    return [one.root.rid for one in analysis.incidents]


def test_what_links_join_is_joined_with_the_incident_whatever_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_rows, "MOST_PART_OF", 12)
    (case,) = [one for one in cases(FOLDER) if one.name == "infrastructure-42"]

    (row,) = graph_rows.incident_rows(analyse(*rows_of(case)))

    assert len(row.part_of) == 12 < row.props["episodes"]
    assert row.links
    assert {eid for source, target, _ in row.links for eid in (source, target)} <= {eid for eid, _ in row.part_of}
