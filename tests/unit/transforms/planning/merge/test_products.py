"""Many that select many come to so many relationships and transactions as one side has members, in any order."""

from collections.abc import Sequence
from random import Random

import pytest

from tests.support.failing_store import FailingStore
from transforms.io.graph_admin.quarantine import Quarantine
from transforms.model.limits import MOST_JOINED, MOST_JUDGED
from transforms.planning.facts.changes import Changes, TooMany
from transforms.planning.facts.mutations import DeleteNode, DeleteReferrer, Mutation, UpsertNode, UpsertReferrer
from transforms.planning.facts.stored import Triple
from transforms.planning.facts.values import digest_of
from transforms.planning.merge.fold import Interpreted
from transforms.planning.merge.plan import plan_batch
from transforms.records.outcomes import Outcome
from transforms.records.record import make_ver
from transforms.steps.write_tenant import TenantWriter
from transforms.testing.memory_graph import MemoryGraphStore, MemoryTenant

pytestmark = pytest.mark.slow

TENANT = "af-10"
MANY = 3 * MOST_JOINED


def ver(t: int) -> str:
    return make_ver(t, "t", 0, t)


def pod(at: int) -> UpsertNode:
    return _node(f"pod:a:p{at:04}", at + 1, labels=[f"id=i{at}", "app=web"])


def selecting(kind: str, at: int, *terms: str) -> UpsertNode:
    return _node(f"{kind}:a:s{at:04}", at + 1, selector=sorted(terms))


def _node(rid: str, t: int, **props: list[str]) -> UpsertNode:
    return UpsertNode(TENANT, ver(t), rid, "", dict(props), digest_of(props))


def alert(label: str, at: int) -> UpsertReferrer:
    props = {"alert": "Down"}
    return UpsertReferrer(TENANT, ver(at + 1), label, f"k{at:04}", "", props, digest_of(props))


def written(*batches: Sequence[Mutation]) -> MemoryTenant:
    """The tenant's graph, once what comes to too much at once was halved."""
    tenant = MemoryTenant(TENANT)

    def write(batch: Sequence[Mutation]) -> None:
        try:
            plan = plan_batch(tenant, TENANT, batch)
        except TooMany:
            write(batch[: len(batch) // 2])
            write(batch[len(batch) // 2 :])
            return
        assert len(batch) == 1 or len(plan.changes.edges) + len(plan.changes.emits) <= MOST_JUDGED
        tenant.write(plan.changes)

    for batch in batches:
        write(batch)
    return tenant


@pytest.mark.parametrize("term", ["app=web", "app in (web,{})", "!no-{}", "app notin ({})"])
def test_of_many_policies_the_first_by_name_select_a_pod_and_services_are_joined_as_ever(term: str) -> None:
    policies = [selecting("networkpolicy", at, term.format(at)) for at in range(MANY)]
    pods, service = [pod(at) for at in range(MANY)], selecting("service", 0, "app=web")
    mixed = [*policies, *pods, service]
    Random(7).shuffle(mixed)

    one, other = written(policies, pods, [service]), written(*([each] for each in mixed))

    assert one.digest().hexdigest() == other.digest().hexdigest()
    at_pod = sorted(triple.source for triple in one.triples() if triple.target == pods[5].rid)
    assert at_pod == [*(policy.rid for policy in policies[:MOST_JOINED]), service.rid]
    assert one.resources[pods[5].rid]["policies_capped"] is True
    assert "services_capped" not in one.resources[pods[5].rid]


def test_one_that_goes_makes_room_for_the_next_and_few_are_not_capped() -> None:
    policies = [selecting("networkpolicy", at, "app=web") for at in range(MOST_JOINED + 1)]
    graph = written([*policies, pod(1)], [DeleteNode(TENANT, ver(99), policies[0].rid)])

    assert {triple.source for triple in graph.triples()} == {policy.rid for policy in policies[1:]}
    assert "policies_capped" not in graph.resources[pod(1).rid]


def test_a_pod_that_changes_goes_on_saying_that_more_select_it() -> None:
    policies = [selecting("networkpolicy", at, "app=web") for at in range(MANY)]
    again = _node(pod(1).rid, 99, labels=[*pod(1).props["labels"]], image=["other"])
    graph = written([*policies, pod(1)], [again])

    assert graph.resources[again.rid]["policies_capped"] is True
    assert graph.resources[again.rid]["image"] == ["other"]


def test_of_many_rules_of_an_alert_the_first_by_key_are_joined_with_its_episodes() -> None:
    rules, episodes = [alert("Rule", at) for at in range(MANY)], [alert("Episodic", at) for at in range(MANY)]
    mixed: list[Mutation] = [*rules, *episodes]
    Random(7).shuffle(mixed)

    one, other = written(rules, episodes), written(*([each] for each in mixed))

    assert one.digest().hexdigest() == other.digest().hexdigest()
    assert one.emits == {(rule.key, episode.key) for rule in rules[:MOST_JOINED] for episode in episodes}
    assert {at.key for at, props in one.referrers_held.items() if props.get("emits_capped")} == {rule.key for rule in rules[MOST_JOINED:]}
    gone = written(rules, episodes, [DeleteReferrer(TENANT, ver(99), "Rule", rules[0].key)])
    assert {rule for rule, _ in gone.emits} == {rule.key for rule in rules[1 : MOST_JOINED + 1]}


def test_a_batch_that_comes_to_too_much_is_halved_until_it_does_not() -> None:
    number = 2 * MOST_JUDGED // MOST_JOINED
    policies, pods = [selecting("networkpolicy", at, "app=web") for at in range(MOST_JOINED)], [pod(at) for at in range(number)]
    store = MemoryGraphStore()
    store.write_batch(TENANT, policies)
    with pytest.raises(TooMany):
        store.write_batch(TENANT, pods)

    halved = written(policies, pods)
    assert len(set(halved.triples())) == MOST_JOINED * number


def test_the_writer_halves_such_a_batch_and_blames_no_row() -> None:
    store = FailingStore(writes=lambda batch: TooMany(99) if len(batch) > 2 else None)
    batch = [Interpreted(pod(at), None) for at in range(8)]

    settled = TenantWriter(store, Quarantine(store), 3).write(TENANT, batch)

    assert [outcome for _, outcome in settled.results] == [Outcome.WRITTEN] * 8
    assert [one.mutation for one, _ in settled.results] == [one.mutation for one in batch] == store.written
    assert store.tried == ["write 8", "write 4", "write 2", "write 2", "write 4", "write 2", "write 2"]


def test_a_graph_that_joined_pods_with_what_selects_everything_joins_the_namespace_once_it_is_reported() -> None:
    before = _node("networkpolicy:a:all", 50, selector=["*"])
    graph = written([pod(1), before])
    older = Changes()
    older.edges[Triple("SELECTS", before.rid, pod(1).rid)] = {"derived": True}
    graph.write(older)

    graph.write(plan_batch(graph, TENANT, [_node(before.rid, 60, selector=["*"], implies=["SELECTS\x1fnamespace::a\x1f"])]).changes)

    assert {triple.target for triple in graph.triples()} == {"namespace::a"}
