"""Plan a batch: from the stored graph and the folded mutations of one tenant to what must change.

The result depends on the set of mutations ever taken in, never on their order, on how they were cut into
batches or on how often each came. The caller sees to it that nobody else writes the tenant meanwhile.
"""

from collections.abc import Sequence

from transforms.model.limits import MOST_JUDGED
from transforms.planning.facts.changes import NO_FLOORS, Changes, Floors, Plan
from transforms.planning.facts.mutations import (
    DeleteEdge,
    DeleteNode,
    DeleteReferrer,
    DeleteUid,
    DeleteUnnamed,
    EndAbsent,
    EndSnapshot,
    Mutation,
    UpsertEdge,
    UpsertNode,
    UpsertReferrer,
)
from transforms.planning.facts.stored import GraphReader
from transforms.planning.merge.derived import Derived
from transforms.planning.merge.edges import Edges
from transforms.planning.merge.emits import Emits
from transforms.planning.merge.incarnations import Incarnations
from transforms.planning.merge.names import Names, shows_scope
from transforms.planning.merge.referrers import Referrers
from transforms.planning.merge.swept import Remembering
from transforms.records.outcomes import Outcome


def plan_batch(reader: GraphReader, client_id: str, mutations: Sequence[Mutation], floors: Floors = NO_FLOORS) -> Plan:
    """What the batch changes, and the outcome of each of its mutations, in their order.

    mutations: of one tenant, at most one per aspect (folded).
    floors: what is at or below them is past, and its outcome is `below_floor`.
    Raises TooMany where several mutations judge more relationships than a transaction should: give fewer at once. One is never too many.
    """
    above = [one for one in mutations if not floors.covers(one)]
    most = MOST_JUDGED if len(mutations) > 1 else 0
    if floors.swept:
        reader = Remembering(reader)
    upserts = [one for one in above if isinstance(one, UpsertNode)]
    deaths = [one for one in above if isinstance(one, DeleteNode | DeleteUid | DeleteUnnamed)]
    spoken = [one.rid for one in (*upserts, *deaths) if not isinstance(one, DeleteUid)]
    names = Names(reader, spoken, (one.uid for one in upserts if one.uid and shows_scope(one.rid)))
    lives = Incarnations(reader, client_id, names, remembers=bool(floors.swept))
    derived = Derived(reader, lives, names, most)
    edges = Edges(reader, client_id, lives, derived, names)
    referrers = Referrers(reader, lives, names)
    emits = Emits(reader, referrers, most)
    snapshots = [one for one in above if isinstance(one, EndSnapshot)]
    outcomes = lives.apply(upserts, deaths, snapshots, [one for one in above if isinstance(one, EndAbsent)])
    derived.apply()
    outcomes += edges.apply([one for one in above if isinstance(one, UpsertEdge | DeleteEdge)])
    outcomes += referrers.apply([one for one in above if isinstance(one, UpsertReferrer | DeleteReferrer)])
    changes = Changes()
    lives.write(changes)
    names.write_scopes(changes)
    derived.write(changes)
    edges.write(changes)
    referrers.write(changes)
    emits.write(changes)
    changes.stubs = {rid for rid in changes.stubs if not lives.has_node(rid)}
    found = {id(one): outcome for one, outcome in outcomes}
    if len(above) < len(mutations):
        found |= {id(one): Outcome.BELOW_FLOOR for one in mutations if floors.covers(one)}
    return Plan(changes, [found.get(id(one), Outcome.SUPERSEDED) for one in mutations], lives.drift)
