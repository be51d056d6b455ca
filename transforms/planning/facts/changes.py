"""What one batch changes in the graph: rows for the statements that the model generates, and outcomes."""

from collections.abc import Sequence, Sized
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

from transforms.model.graph import EPISODIC
from transforms.planning.facts.mutations import Mutation, ReferrerKey, UpsertReferrer
from transforms.planning.facts.stored import StoredEdge, StoredTombstone, Triple
from transforms.records.outcomes import Outcome

Row = dict[str, Any]


class TooMany(Exception):
    """A batch of several mutations judges more relationships than one transaction should; the message is how many, at least.

    The same mutations in smaller batches come to the same graph.
    """


@dataclass(slots=True)
class Changes:
    """The difference between the stored graph and the graph that follows from it and the batch.

    cleared: rids whose node died; what relationships they keep hold them as stubs.
    caps: whether a Pod or a rule of the batch is joined with fewer than concern it.
    pruned: rids whose node goes if it is a stub that nothing refers to (any more); once written, those of them that are gone.
    referrer_counts: properties that change although the newest word on the node is stored already.
    references: relationships of referrers with the rids that they are about.
    edge_vers: explicit relationships of which only the version changes.
    capped: properties of nodes that are not written otherwise, set or taken away: that more select them than they are joined with.
    emits: (rule, episode); raised: rules that are joined with all episodes of their alert; emits_gone: rules and episodes that lose
    all of theirs first.
    """

    cleared: list[str] = field(default_factory=list)
    nodes: dict[str, Row] = field(default_factory=dict)
    node_vers: dict[str, str] = field(default_factory=dict)
    capped: dict[str, dict[str, bool]] = field(default_factory=dict)
    stubs: set[str] = field(default_factory=set)
    referrers: dict[ReferrerKey, Row] = field(default_factory=dict)
    referrer_vers: dict[ReferrerKey, str] = field(default_factory=dict)
    referrer_counts: dict[ReferrerKey, Row] = field(default_factory=dict)
    referrers_gone: set[ReferrerKey] = field(default_factory=set)
    edges: dict[Triple, Row] = field(default_factory=dict)
    edge_vers: dict[Triple, StoredEdge] = field(default_factory=dict)
    edges_gone: set[Triple] = field(default_factory=set)
    references: set[tuple[ReferrerKey, str]] = field(default_factory=set)
    references_gone: set[tuple[ReferrerKey, str]] = field(default_factory=set)
    emits: set[tuple[str, str]] = field(default_factory=set)
    raised: dict[str, str] = field(default_factory=dict)
    emits_gone: set[ReferrerKey] = field(default_factory=set)
    tombstones: dict[str, StoredTombstone] = field(default_factory=dict)
    tombstones_gone: set[str] = field(default_factory=set)
    pruned: set[str] = field(default_factory=set)
    caps: bool = False

    @property
    def size(self) -> int:
        """How many rows the changes come to, about."""
        return sum(len(held) for held in (getattr(self, one.name) for one in fields(self)) if isinstance(held, Sized))

    def hide(self, tombstone: StoredTombstone, stored: StoredTombstone | None) -> None:
        """Keep a tombstone, unless the stored one says the same."""
        if tombstone != stored:
            self.tombstones[tombstone.key] = tombstone

    def reveal(self, key: str, stored: StoredTombstone | None) -> None:
        """Drop a tombstone that is stored."""
        if stored is not None:
            self.tombstones_gone.add(key)


class Drift(NamedTuple):
    """What manifests found at odds. gone: objects that were alive here alone. missing: objects that are alive there alone."""

    gone: int = 0
    missing: int = 0

    def __bool__(self) -> bool:
        return bool(self.gone or self.missing)

    def plus(self, more: "Drift") -> "Drift":
        return Drift(self.gone + more.gone, self.missing + more.missing)


NO_DRIFT: Final = Drift()


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes of a batch and, in the order of its mutations, what became of each; and what its manifests found."""

    changes: Changes
    outcomes: list[Outcome]
    drift: Drift = NO_DRIFT


class Floors(NamedTuple):
    """Versions up to which a tenant's past was taken away.

    state: of objects, relationships, targets and rules, by a purge: what is at or below it is not written. episodes: of episodes,
    by a purge or a sweep, likewise. swept: up to which tombstones were swept; what is older holds where no tombstone says otherwise.
    """

    state: str = ""
    episodes: str = ""
    swept: str = ""

    def covers(self, one: Mutation) -> bool:
        """Whether the mutation belongs to what is past."""
        is_episode = isinstance(one, UpsertReferrer) and one.label == EPISODIC.label
        return one.ver <= (self.episodes if is_episode else self.state)


NO_FLOORS: Final = Floors()


class TenantBatch(NamedTuple):
    """A batch of one tenant, to be written. first_seen: when the broker got the first of its records, in milliseconds since 1970;
    None where it does not say."""

    client_id: str
    mutations: Sequence[Mutation]
    first_seen: int | None = None


class Written(NamedTuple):
    """What a committed batch came to: the outcome of each mutation, in their order, the rows of its statements, what manifests found.

    is_quiet: an analysis found nothing wrong with the tenant, and nothing was written since that one could begin at.
    """

    outcomes: list[Outcome]
    rows: int
    drift: Drift = NO_DRIFT
    is_quiet: bool = False
