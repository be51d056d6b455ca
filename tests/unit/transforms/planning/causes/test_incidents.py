"""Incidents are a function of the records: which there are, what each is called, when it opened and when it was over."""

from itertools import product

import pytest

from tests.support.broken_cluster import TENANT, Bus, analysis_of, event, killed, node, pod, shuffled, store_of, workload
from transforms.planning.causes.explain import kind_of, text_of
from transforms.planning.causes.graph_rows import incident_rows
from transforms.records.record import KafkaRecord

NODES = [node("n1"), node("n2"), node("n3")]
APPS = ("cart", "web", "mail")


def healthy() -> Bus:
    bus = Bus().say(0, *NODES)
    for app in APPS:
        bus.say(0, *workload(app), pod(app))
    return bus


def with_oom(app: str = "cart") -> Bus:
    """Memory that runs out at minute 10."""
    return healthy().say(11, *workload(app, ready=0)[:2], pod(app, ready=False, since=10, state=killed(10)))


def roots(records: list[KafkaRecord]) -> list[tuple[str, str, str]]:
    analysis = analysis_of(records)
    return [(one.root.rid, kind_of(one), one.state) for one in analysis.incidents]


def test_a_cluster_that_works_has_no_incident() -> None:
    assert roots(healthy().records) == []


def test_a_container_that_runs_out_of_memory_is_the_cause_of_its_workloads_trouble() -> None:
    assert roots(with_oom().records) == [("deployment:shop:cart", "OOM_KILLED", "open")]


def test_a_node_that_is_not_ready_explains_all_that_runs_on_it() -> None:
    bus = healthy().say(12, node("n1", "Unknown", 10))
    for app in APPS:
        bus.say(12, *workload(app, ready=0)[:2], pod(app, ready=False, since=11))
    (one,) = analysis_of(bus.records).incidents
    assert (one.root.rid, kind_of(one)) == ("node::n1", "NODE_NOT_READY")
    assert {member.rid for member in one.members} == {"node::n1", *(f"deployment:shop:{app}" for app in APPS)}


@pytest.mark.parametrize(("app", "other"), [("cart", "web"), ("web", "mail"), ("mail", "cart")])
def test_two_faults_at_once_are_two_incidents_each_with_its_own_cause(app: str, other: str) -> None:
    bus = with_oom(app)
    waiting = {"state": {"waiting": {"reason": "ErrImagePull", "message": "manifest unknown: not found"}}}
    bus.say(12, *workload(other, ready=0)[:2], pod(other, ready=False, since=11, state=waiting))
    found = {(rid, kind) for rid, kind, _ in roots(bus.records)}
    assert found == {(f"deployment:shop:{app}", "OOM_KILLED"), (f"deployment:shop:{other}", "IMAGE_NOT_FOUND")}


def test_what_has_healed_is_resolved_a_quarter_of_an_hour_after_its_last_evidence_whenever_it_is_looked_at() -> None:
    healed = with_oom().say(13, *workload("cart"), pod("cart", since=13))
    still = analysis_of(healed.records).incidents
    assert [(one.state, one.resolved) for one in still] == [("open", None)]
    for minute in (40, 400):
        (over,) = analysis_of([*healed.records, *Bus().say(minute, node("n2")).records]).incidents
        assert (over.root.rid, over.state) == ("deployment:shop:cart", "resolved")
        assert over.resolved is not None
        assert over.iid == still[0].iid
        assert over.resolved - over.last == 15 * 60 * 1_000_000
        assert over.opened <= over.last


def test_a_cause_that_comes_an_hour_late_takes_its_symptoms_over() -> None:
    symptoms = healthy()
    for app in APPS:
        symptoms.say(12, *workload(app, ready=0)[:2], pod(app, ready=False, since=11))
    before = analysis_of(symptoms.records).incidents
    late = symptoms.say(70, node("n1", "Unknown", 10))
    (one,) = analysis_of(late.records).incidents
    assert (one.root.rid, kind_of(one)) == ("node::n1", "NODE_NOT_READY")
    known = {one.iid, *one.aliases}
    assert all(known & {old.iid, *old.aliases} for old in before)


def test_an_incident_keeps_its_id_while_its_container_crashes_again() -> None:
    once = with_oom()
    first = analysis_of(once.records).incidents[0].iid
    again = once.say(17, pod("cart", ready=False, since=16, state=killed(16, 2)))
    assert [one.iid for one in analysis_of(again.records).incidents] == [first]


@pytest.mark.parametrize(("seed", "slices"), list(product(range(12), (1, 3, 7))))
def test_any_order_slicing_and_repetition_of_the_records_gives_equal_incidents(seed: int, slices: int) -> None:
    bus = with_oom("cart").say(12, node("n2", "False", 9), *workload("mail", ready=0)[:2], pod("mail", "n2", ready=False, since=10))
    bus.say(13, event("a", bus_pod(), "BackOff", "Back-off restarting failed container", 12.5))
    bus.say(30, *workload("cart"), pod("cart", since=29), node("n3"))
    expected = store_of(bus.records).digest(TENANT).hexdigest()
    assert store_of(shuffled(bus.records, seed), slices).digest(TENANT).hexdigest() == expected


def bus_pod() -> dict[str, object]:
    return pod("cart")


def test_every_explanation_names_the_record_of_its_evidence() -> None:
    analysis = analysis_of(with_oom().records)
    (row,) = incident_rows(analysis)
    assert "state.k8s.resource[0]@" in row.props["causes"]
    assert "almost certain: Deployment/cart in shop: it ran out of memory" in text_of(analysis, analysis.incidents[0])
    assert "Do: raise the memory limit" in row.props["text"]


def test_leaving_a_finding_out_leaves_it_out() -> None:
    analysis = analysis_of(with_oom().records)
    assert any(one.name == "OOM_KILLED" for one in analysis.findings)
