"""How bad an incident is: its evidence's severity, raised by how often the same happened shortly before.

A function of the episodes alone, so that a replay cannot climb: repeats count at or before the episode, never those that come later, and
each episode counts once, however often its record was read.
"""

from collections.abc import Iterable
from typing import Final

from transforms.planning.causes.moments import MINUTE
from transforms.planning.causes.world import Episode

WITHIN: Final = 5 * MINUTE
REPEATS: Final = 3
_LADDER: Final = ("WARNING", "ERROR", "FATAL")


def escalated(episode: Episode, others: Iterable[Episode]) -> str:
    """The severity of an episode: a step up for three repeats of its reason about its subject within five minutes, another for six.

    Kubernetes' own counts are included. What is no warning, and what is fatal already, stays as it is.
    """
    if episode.severity not in _LADDER:
        return episode.severity
    near = {
        one.eid: one.times
        for one in (episode, *others)
        if (one.reason, one.subject) == (episode.reason, episode.subject) and 0 <= episode.at - one.at <= WITHIN
    }
    steps = min(sum(near.values()) // REPEATS, len(_LADDER) - 1)
    return _LADDER[min(_LADDER.index(episode.severity) + steps, len(_LADDER) - 1)]


def severities(episodes: Iterable[Episode], near: Iterable[Episode]) -> list[tuple[Episode, str]]:
    """Each episode with its escalated severity. near: at least all that are about the same."""
    held = list(episodes)
    by_key: dict[tuple[str, str], list[Episode]] = {(one.reason, one.subject): [] for one in held}
    for one in near:
        alike = by_key.get((one.reason, one.subject))
        if alike is not None:
            alike.append(one)
    return [(one, escalated(one, by_key[one.reason, one.subject])) for one in held]


def worst(found: Iterable[str]) -> str:
    """The greatest severity of an incident's evidence; WARNING where no episode is evidence."""
    return max((one for one in found if one in _LADDER), key=_LADDER.index, default="WARNING")
