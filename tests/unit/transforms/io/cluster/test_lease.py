"""One of several holds the lease, whatever their clocks say."""

from collections.abc import Iterator

import pytest

from tests.support.api_server import Answer, ApiServer
from tests.support.cluster import Cluster
from transforms.io.cluster.api import ApiClient, ApiFault
from transforms.io.cluster.lease import DURATION_S, GIVE_UP_S, Lease
from transforms.io.cluster.target import ClusterTarget


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def api() -> Iterator[ApiClient]:
    with Cluster() as cluster:
        api = ApiClient(ClusterTarget(f"http://127.0.0.1:{cluster.port}"), "test", 2.0)
        yield api
        api.close()


def lease(api: ApiClient, who: str, clock: Clock) -> Lease:
    return Lease(api, "agents", "graph-agent", who, clock)


def test_the_first_to_ask_holds_it_and_renews_it(api: ApiClient) -> None:
    clock = Clock()
    first, second = lease(api, "a", clock), lease(api, "b", clock)
    assert first.claim()
    assert not second.claim()
    for _ in range(10):
        clock.now += 5
        assert first.claim()
        assert not second.claim()
    assert first.holds
    assert not second.holds


def test_another_takes_it_when_it_is_not_renewed_and_the_first_gave_up_before(api: ApiClient) -> None:
    clock = Clock()
    first, second = lease(api, "a", clock), lease(api, "b", clock)
    assert first.claim()
    assert not second.claim()
    clock.now += GIVE_UP_S
    assert not first.holds
    assert not second.claim()
    clock.now += DURATION_S - GIVE_UP_S
    assert second.claim()
    assert not first.claim()


def test_a_clock_that_is_set_back_makes_nobody_wait_or_hurry(api: ApiClient) -> None:
    ahead, behind = Clock(), Clock()
    ahead.now += 1e6
    first, second = lease(api, "a", ahead), lease(api, "b", behind)
    assert first.claim()
    assert not second.claim()
    behind.now += DURATION_S - 0.1
    assert not second.claim()
    behind.now += 0.2
    assert second.claim()


def test_one_that_is_given_up_is_free_at_once(api: ApiClient) -> None:
    clock = Clock()
    first, second = lease(api, "a", clock), lease(api, "b", clock)
    assert first.claim()
    assert not second.claim()
    first.release()
    assert not first.holds
    assert second.claim()
    first.release()
    assert not first.claim()


def test_a_removal_takes_it_by_force_and_keeps_it_from_others(api: ApiClient) -> None:
    clock = Clock()
    agent, other, removal = lease(api, "a", clock), lease(api, "b", clock), lease(api, "removal", clock)
    assert agent.claim()
    assert removal.claim(force=True, duration_s=120)
    assert not agent.claim()
    assert not other.claim()
    clock.now += 60
    assert not agent.claim()
    assert not other.claim()
    clock.now += 61
    assert agent.claim()


def test_a_conflict_is_no_lease_and_an_outage_is_a_fault() -> None:
    with ApiServer() as server:
        path = "/apis/coordination.k8s.io/v1/namespaces/agents/leases/graph-agent"
        server.play(path, Answer({"metadata": {"name": "graph-agent", "resourceVersion": "1"}, "spec": {}}), Answer({}, 503))
        server.take = lambda *_: Answer({"message": "conflict"}, 409)  # type: ignore[method-assign]
        mine = lease(server.client(), "a", Clock())
        assert not mine.claim()
        assert not mine.holds
        with pytest.raises(ApiFault, match="503"):
            mine.claim()
