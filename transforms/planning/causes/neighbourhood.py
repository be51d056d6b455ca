"""What of a tenant's graph an analysis reads: what ails, what happened lately, and what is near it.

The same choice is made of a graph in memory and of one in Neo4j, so that both come to the same incidents. A tenant in which nothing
ails and nothing happened costs a look-up. Every cap is applied to what is sorted, and said to be.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple, Protocol

from transforms.model.graph import AILING, EPISODIC, PROM_TARGET
from transforms.planning.causes.moments import MINUTE
from transforms.planning.causes.world import Rows
from transforms.planning.facts.changes import Changes
from transforms.records.record import t_of, time_limit

# How long an episode counts: lines and Events for the session that they belong to, findings for the history of incidents.
EPISODES_WITHIN: Final = 120 * MINUTE
FINDINGS_WITHIN: Final = 24 * 60 * MINUTE
MOST_EPISODES: Final = 5000
MOST_SEEDS: Final = 2000
MOST_RESOURCES: Final = 5000
MOST_EDGES: Final = 50_000
HARMLESS: Final = ("INFO", "DEBUG")
# Told of as normal, and evidence all the same.
TELLING: Final = ("Killing",)
FINDING: Final = "k8s.finding"

_OF_CLUSTER: Final = ("Node", "Namespace", "PersistentVolume", "StorageClass")
# Which kinds are read first where not all can be: what most findings need.
RANKS: Final = {
    kind: rank
    for rank, kinds in enumerate(
        (
            ("Node", "Namespace", "ResourceQuota"),
            ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Service"),
            ("ReplicaSet",),
            ("Pod",),
            ("PersistentVolumeClaim", "PersistentVolume", "StorageClass", "ServiceAccount", "NetworkPolicy"),
            ("ConfigMap", "Secret"),
        ),
        start=1,
    )
    for kind in kinds
}
# In `Rows.partly`, where relationships were left out.
EDGE: Final = "edge"
_CONTROL_PLANE: Final = "kube-system"

Props = Mapping[str, Any]


class Since(NamedTuple):
    """Versions from which episodes count."""

    episodes: str
    findings: str


class NeighbourhoodReader(Protocol):
    """Reads of one tenant's graph. All lists are sorted as said, and cut at `most`."""

    def newest(self) -> str:
        """The greatest version that the graph holds; "" for an empty graph."""

    def episodes(self, since: Since, most: int) -> list[Props]:
        """Episodes that are not harmless, with their properties and `eid`, the newest first, then by eid.

        Of a message the first `READ_MESSAGE_CHARACTERS`.
        """

    def ailing(self, most: int) -> list[str]:
        """The rids of resources that ail, sorted."""

    def spaces_on(self, nodes: Collection[str]) -> set[str]:
        """The Namespaces of the Pods on the Nodes."""

    def spaces_called(self, spaces: Collection[str]) -> set[str]:
        """The Namespaces of the Services that workloads of the Namespaces call."""

    def resources(self, spaces: Collection[str], ranks: Mapping[str, int], cluster_kinds: Collection[str], most: int) -> dict[str, Props]:
        """Stubs included, by rid: those that ail first, then by the rank of their kind, then by rid.

        ranks: by kind; others are not read. A status of more than `READ_STATUS_CHARACTERS` is left out.
        """

    def edges(self, rids: Collection[str], most: int) -> list[tuple[str, str, str]]:
        """(type, source, target), sorted: what begins at one of the rids, and what owns or calls one of them."""

    def targets_down(self) -> list[Props]:
        """Scrape targets that are down."""


def wakes(changes: Changes) -> bool:
    """Whether what is written holds anything that an analysis begins at.

    An object that ails, an episode that is not harmless, a target that is down. An episode that is stored already may come within
    reach again by a later version.
    """
    if any(AILING in props for props in changes.nodes.values()):
        return True
    if any(at.label == EPISODIC.label for held in (changes.referrer_vers, changes.referrer_counts) for at in held):
        return True
    return any(
        counts(props) if at.label == EPISODIC.label else at.label == PROM_TARGET.label and props.get("health") == "down"
        for at, props in changes.referrers.items()
    )


def counts(episode: Props) -> bool:
    """Whether an episode is evidence, if it is recent: a finding, or one that is not harmless."""
    return episode.get("etype") == FINDING or episode.get("severity") not in HARMLESS or episode.get("reason") in TELLING


def begun(newest: str) -> tuple[int, Since]:
    """t* in microseconds, and from when on episodes count. newest: the greatest version that the graph holds."""
    now = int(t_of(newest)) if newest else 0
    return now, Since(time_limit(now - EPISODES_WITHIN - 1), time_limit(now - FINDINGS_WITHIN - 1))


def read_neighbourhood(reader: NeighbourhoodReader) -> Rows:
    """The rows to analyse; none but t* where nothing ails."""
    now, since = begun(reader.newest())
    episodes = reader.episodes(since, MOST_EPISODES + 1)
    ailing = reader.ailing(MOST_SEEDS + 1)
    targets = reader.targets_down()
    truncated = len(episodes) > MOST_EPISODES or len(ailing) > MOST_SEEDS
    episodes, ailing = episodes[:MOST_EPISODES], ailing[:MOST_SEEDS]
    subjects = sorted({str(one.get("subject") or "") for one in (*episodes, *targets)} - {""})[:MOST_SEEDS]
    seeds = {*ailing, *subjects}
    if not seeds:
        return Rows({}, (), (), now)
    nodes = sorted(rid for rid in seeds if rid.startswith("node::"))
    spaces = {rid.split(":", 2)[1] for rid in seeds} - {""}
    spaces |= {rid.removeprefix("namespace::") for rid in seeds if rid.startswith("namespace::")}
    spaces |= reader.spaces_on(nodes) if nodes else set()
    spaces |= reader.spaces_called(sorted(spaces)) if spaces else set()
    spaces.add(_CONTROL_PLANE)
    resources = reader.resources(sorted(spaces), RANKS, _OF_CLUSTER, MOST_RESOURCES + 1)
    kept = dict(list(resources.items())[:MOST_RESOURCES])
    edges = reader.edges(sorted(kept), MOST_EDGES + 1)
    partly = _partly(kept) if len(resources) > MOST_RESOURCES else frozenset()
    if len(edges) > MOST_EDGES:
        partly |= {EDGE}
    return Rows(kept, edges[:MOST_EDGES], episodes, now, truncated or bool(partly), targets, partly)


def _partly(kept: Mapping[str, Props]) -> frozenset[str]:
    """The kinds of which objects may have been left out, as rids have them: from the last that was read on."""
    last = max((RANKS[str(one["kind"])] for one in kept.values() if not one.get(AILING)), default=0)
    return frozenset(kind.lower() for kind, rank in RANKS.items() if rank >= last)
