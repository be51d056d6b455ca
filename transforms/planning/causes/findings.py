"""All findings of a neighbourhood, each once, in a total order."""

from collections.abc import Collection, Iterator
from typing import Final

from transforms.planning.causes.admission import admission
from transforms.planning.causes.alerts import alerts
from transforms.planning.causes.blame import Blame
from transforms.planning.causes.logs import logs, unreachable
from transforms.planning.causes.nodes import nodes
from transforms.planning.causes.pods import pods
from transforms.planning.causes.probes import probes
from transforms.planning.causes.scheduling import scheduling
from transforms.planning.causes.services import services
from transforms.planning.causes.storage import storage
from transforms.planning.causes.table import Finding
from transforms.planning.causes.targets import targets
from transforms.planning.causes.world import World

_FAULT: Final = 0.5


def find(world: World, blame: Blame, without: Collection[str] = ()) -> list[Finding]:
    """What is wrong, sorted by object and name. without: names of findings that are left out."""
    found = [one for one in _all(world, blame) if one.name not in without]
    faulty = {one.rid for one in found if one.weight >= _FAULT and not one.kind.is_symptom}
    found += [one for one in unreachable(world, blame, faulty) if one.name not in without]
    return sorted(set(found), key=_order)


def _order(one: Finding) -> tuple[str, float, str, str, str, int, int]:
    return one.rid, -one.weight, one.name, one.at, one.detail, one.since or 0, one.last or 0


def _all(world: World, blame: Blame) -> Iterator[Finding]:
    yield from nodes(world)
    yield from admission(world)
    yield from pods(world)
    yield from probes(world)
    yield from storage(world)
    yield from scheduling(world)
    yield from services(world, blame)
    yield from logs(world, blame)
    yield from alerts(world)
    yield from targets(world)
