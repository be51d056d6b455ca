"""How bad an incident is: its evidence's severity, raised by how often the same happened shortly before.

A function of the episodes alone, so that a replay cannot climb: repeats count at or before the episode, never those that come later, and
each episode counts once, however often its record was read.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from transforms.planning.causes.moments import MINUTE
from transforms.planning.causes.world import Episode

WITHIN: Final = 5 * MINUTE
REPEATS: Final = 3
_LADDER: Final = ("WARNING", "ERROR", "FATAL")


def severities(episodes: Iterable[Episode]) -> dict[str, str]:
    """The severity of each episode, by its key: a step up for three repeats of its reason about its subject within five minutes, another
    for six.

    Kubernetes' own counts are included. What is no warning, and what is fatal already, stays as it is.
    """
    alike: dict[tuple[str, str], dict[str, Episode]] = {}
    for one in episodes:
        alike.setdefault((one.reason, one.subject), {})[one.eid] = one
    return {eid: raised for held in alike.values() for eid, raised in _raised(held)}


def _raised(alike: Mapping[str, Episode]) -> Iterator[tuple[str, str]]:
    """Of episodes that are alike: those of the five minutes up to each are counted while time goes on."""
    listed = sorted(alike.values(), key=lambda one: (one.at, one.eid))
    times = first = after = 0
    for one in listed:
        while after < len(listed) and listed[after].at <= one.at:
            times += listed[after].times
            after += 1
        while one.at - listed[first].at > WITHIN:
            times -= listed[first].times
            first += 1
        yield one.eid, _climbed(one.severity, times // REPEATS)


def _climbed(severity: str, steps: int) -> str:
    if severity not in _LADDER:
        return severity
    return _LADDER[min(_LADDER.index(severity) + min(steps, len(_LADDER) - 1), len(_LADDER) - 1)]


def worst(found: Iterable[str]) -> str:
    """The greatest severity of an incident's evidence; WARNING where no episode is evidence."""
    return max((one for one in found if one in _LADDER), key=_LADDER.index, default="WARNING")
