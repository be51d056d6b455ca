"""EMITS: an alerting rule and the episodes of its alert, whichever of them came first.

Of the rules that raise one alert the first `MOST_JOINED` in the order of their keys are joined with its episodes, and the others say
that they are not (docs/adr/022): many rules and many episodes come to relationships in proportion to the episodes, not to the
product. All of them have the alert as a property, by which they are found either way.
"""

from collections import defaultdict
from typing import NamedTuple

from transforms.model.graph import EMITS_CAPPED, EPISODIC, RULE
from transforms.model.limits import MOST_JOINED
from transforms.planning.facts.changes import Changes, TooMany
from transforms.planning.facts.mutations import ReferrerKey
from transforms.planning.facts.stored import GraphReader
from transforms.planning.merge.referrers import Referrers


class _Change(NamedTuple):
    at: ReferrerKey
    before: str
    now: str


class _Raising(NamedTuple):
    """The rules that raise an alert, in order, before the batch and after it."""

    before: list[str]
    after: list[str]

    @property
    def joined_before(self) -> list[str]:
        return self.before[:MOST_JOINED]

    @property
    def joined(self) -> list[str]:
        return self.after[:MOST_JOINED]


class Emits:
    """The relationships between rules and episodes as far as a batch concerns them.

    most: relationships that may be made, TooMany beyond; 0 for any number.
    """

    def __init__(self, reader: GraphReader, referrers: Referrers, most: int = 0) -> None:
        self._reader = reader
        self._referrers = referrers
        self._most = most

    def write(self, changes: Changes) -> None:
        """Add what follows from the alerts that the batch sets, changes or takes away; after the referrers."""
        changed = [_Change(*one) for one in self._referrers.changed_alerts()]
        rules = [one for one in changed if one.at.label == RULE.label]
        # What a rule or an episode was about before: its relationships go, and those that still hold are made again.
        changes.emits_gone.update(one.at for one in changed if one.before and one.at not in changes.referrers_gone)
        rewritten = {at.key: str(props["alert"]) for at, props in changes.referrers.items() if at.label == RULE.label and "alert" in props}
        alerts = {alert for one in changed for alert in (one.before, one.now) if alert} | set(rewritten.values())
        if not alerts:
            return
        raising = self._raising(alerts, rules)
        for alert, found in raising.items():
            self._join_rules(changes, alert, found, {one.at.key for one in rules})
            changes.caps |= len(found.after) > MOST_JOINED
        for key, alert in rewritten.items():
            if key not in raising[alert].joined:
                changes.referrers[ReferrerKey(RULE.label, key)][EMITS_CAPPED] = True
        episodes = {one.at.key: one.now for one in changed if one.at.label == EPISODIC.label and one.now}
        for episode, alert in episodes.items():
            changes.emits.update((rule, episode) for rule in raising[alert].joined if rule not in changes.raised)
        self._must_be_few(changes)

    def _raising(self, alerts: set[str], changed: list[_Change]) -> dict[str, _Raising]:
        before: dict[str, set[str]] = defaultdict(set)
        for key, alert in self._reader.alerting(RULE.label, alerts):
            before[alert].add(key)
        after = {alert: set(before[alert]) for alert in alerts}
        for one in changed:
            if one.before in after:
                after[one.before].discard(one.at.key)
        for one in changed:
            if one.now:
                after[one.now].add(one.at.key)
        return {alert: _Raising(sorted(before[alert]), sorted(after[alert])) for alert in sorted(alerts)}

    @staticmethod
    def _join_rules(changes: Changes, alert: str, found: _Raising, changed: set[str]) -> None:
        was, now = set(found.joined_before), set(found.joined)
        changes.raised.update((rule, alert) for rule in found.joined if rule not in was)
        # Those that stay and make room for others, or take it.
        stay = set(found.before) & set(found.after) - changed
        changes.emits_gone.update(ReferrerKey(RULE.label, rule) for rule in (was - now) & stay)
        for rule in (was ^ now) & stay:
            at = ReferrerKey(RULE.label, rule)
            if at not in changes.referrers:
                changes.referrer_counts[at] = {EMITS_CAPPED: None if rule in now else True}

    def _must_be_few(self, changes: Changes) -> None:
        """Estimated before any is made: each rule that is joined anew, times the episodes of its alert."""
        if not self._most:
            return
        numbers = self._reader.count_episodes(sorted(set(changes.raised.values()))) if changes.raised else {}
        made = len(changes.emits) + sum(numbers.get(alert, 0) for alert in changes.raised.values())
        if made > self._most:
            raise TooMany(made)
