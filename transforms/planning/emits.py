"""EMITS: an alerting rule and the episodes of its alert, whichever of them came first."""

from collections.abc import Iterable

from transforms.model.graph import EPISODIC, RULE
from transforms.planning.changes import Changes
from transforms.planning.mutations import ReferrerKey
from transforms.planning.referrers import Referrers
from transforms.planning.stored import GraphReader

_OTHER = {RULE.label: EPISODIC.label, EPISODIC.label: RULE.label}


class Emits:
    """The relationships between rules and episodes as far as a batch concerns them."""

    def __init__(self, reader: GraphReader, referrers: Referrers) -> None:
        self._reader = reader
        self._referrers = referrers

    def write(self, changes: Changes) -> None:
        """Add what follows from the alerts that the batch sets, changes or takes away."""
        changed = [(at, before, now) for at, before, now in self._referrers.changed_alerts() if at.label in _OTHER]
        if not changed:
            return
        # What a rule or an episode was about before: its relationships go, and those that still hold are made again.
        changes.emits_gone.update(at for at, before, _ in changed if before and at not in changes.referrers_gone)
        for label, other in _OTHER.items():
            mine = {at.key: now for at, _, now in changed if at.label == label and now}
            if mine:
                self._join(changes, label, mine, self._stored(other, mine.values(), changed))
        self._join_new(changes, changed)

    def _stored(self, label: str, alerts: Iterable[str], changed: list[tuple[ReferrerKey, str, str]]) -> list[tuple[str, str]]:
        """The stored counterparts, less those that this batch changes."""
        fresh = {at.key for at, _, _ in changed if at.label == label}
        return [(key, alert) for key, alert in self._reader.alerting(label, set(alerts)) if key not in fresh]

    @staticmethod
    def _join(changes: Changes, label: str, mine: dict[str, str], others: list[tuple[str, str]]) -> None:
        for key, alert in mine.items():
            for other, of in others:
                if of == alert:
                    changes.emits.add((key, other) if label == RULE.label else (other, key))

    @staticmethod
    def _join_new(changes: Changes, changed: list[tuple[ReferrerKey, str, str]]) -> None:
        episodes = [(at.key, now) for at, _, now in changed if at.label == EPISODIC.label and now]
        rules = [(at.key, now) for at, _, now in changed if at.label == RULE.label and now]
        changes.emits.update((rule, episode) for rule, raised in rules for episode, alert in episodes if raised == alert)
