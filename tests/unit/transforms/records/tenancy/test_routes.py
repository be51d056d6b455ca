"""Topics of one cluster each: which of the contract's topics each stands for, and whose it is."""

import pytest

from pipelines.options.tenants import PER_CLUSTER, AdmissionOptions, LivenessOptions, RouteOptions
from tests.support.wire import EVENTS, POD, RESOURCES, json_of, kafka_record
from transforms.planning.lifecycle.liveness import Limits
from transforms.records.decode import decode_record
from transforms.records.envelopes.types import Resource, Tombstone
from transforms.records.rejects import Fault, Reason
from transforms.records.tenancy.routes import BadPattern, TopicRoute, check_pattern, header_tenant, route_of, topics_to_read
from transforms.records.topic_names import TOPIC_NAMES

_EVENTS = r"(?P<client_id>[a-z0-9.-]+)\.events\.normalized"
_BEHIND = r"state\.k8s\.resource-(?P<client_id>[a-z0-9]+)"
_OWN = r"k8s-(?P<client_id>[a-z0-9]+)-(?P<topic>state\.k8s\.resource|events\.normalized)-v1"


@pytest.mark.parametrize(
    ("topic", "patterns", "route"),
    [
        ("af-10.events.normalized", (_EVENTS,), (EVENTS, "af-10")),
        ("a.b.events.normalized", (_EVENTS,), (EVENTS, "a.b")),
        ("events.normalized", (_EVENTS, PER_CLUSTER), (EVENTS, None)),
        ("state.k8s.resource-af10", (_BEHIND,), (RESOURCES, "af10")),
        ("k8s-af10-events.normalized-v1", (_OWN,), (EVENTS, "af10")),
        ("af-10.state.k8s.resource", (PER_CLUSTER,), (RESOURCES, "af-10")),
        ("af-10.state.k8s.resource", (_EVENTS, PER_CLUSTER), (RESOURCES, "af-10")),
        ("af-10.state.k8s.resource", (_EVENTS,), ("af-10.state.k8s.resource", None)),
        ("af-10.state.k8s.resource", (), ("af-10.state.k8s.resource", None)),
        ("AF-10.state.k8s.resource", (PER_CLUSTER,), ("AF-10.state.k8s.resource", None)),
        ("xaf-10.events.normalized.old", (_EVENTS,), ("xaf-10.events.normalized.old", None)),
        ("af-10.of.nobody", (r"(?P<client_id>[a-z0-9-]+)\..*",), ("of.nobody", "af-10")),
    ],
)
def test_a_pattern_says_whose_a_topic_is_and_what_it_stands_for(
    topic: str, patterns: tuple[str, ...], route: tuple[str, str | None]
) -> None:
    assert route_of(topic, patterns, TOPIC_NAMES) == TopicRoute(*route)


def test_kafkas_own_topics_belong_to_nobody() -> None:
    anything = (r"(?P<client_id>.*)",)
    assert topics_to_read(["b", "a"], ["__consumer_offsets", "dead", "z", "a", "af-10"], anything, "dead") == ["b", "a", "af-10", "z"]
    assert topics_to_read(["b"], ["af-10"], (), "dead") == ["b"]


@pytest.mark.parametrize(
    ("pattern", "said"), [("(?P<client_id>a", "no regular expression"), (".*", "has no group"), (r"(?P<client_id>a)\1", "RE2")]
)
def test_a_pattern_that_cannot_be_used_is_an_error_of_use(pattern: str, said: str) -> None:
    with pytest.raises(BadPattern, match=said):
        check_pattern(pattern)
    with pytest.raises(Exception, match="--topic_pattern"):
        RouteOptions(topic_pattern=[pattern]).patterns()


def test_options_become_patterns_rules_and_limits() -> None:
    assert RouteOptions().patterns() == ()
    assert RouteOptions(topic_pattern=[_EVENTS, _EVENTS], topic_per_cluster=True).patterns() == (_EVENTS, PER_CLUSTER)
    rules = AdmissionOptions("af-*, bf-*", "af-9", 5).rules("af-10")
    assert (rules.client_id, rules.allow, rules.deny, rules.new_per_hour) == ("af-10", ("af-*", "bf-*"), ("af-9",), 5)
    assert LivenessOptions().limits() == Limits(120_000, 300_000)
    for wrong in (LivenessOptions("5m", "2m"), LivenessOptions("0s", "2m"), LivenessOptions("soon")):
        with pytest.raises(Exception, match="--stale_after"):
            wrong.limits()


def test_a_cluster_s_own_topic_is_read_as_the_one_that_it_stands_for() -> None:
    body = decode_record(kafka_record("af-10.state.k8s.resource", json_of(POD), b"pod:shop:p"), patterns=(PER_CLUSTER,))
    assert isinstance(body.body, Resource)
    assert body.route == TopicRoute(RESOURCES, "af-10")
    assert " af-10.state.k8s.resource " in body.ver, "versions name the topic that the record lies in"
    gone = decode_record(kafka_record("af-10.state.k8s.resource", None, b"pod:shop:p"), patterns=(PER_CLUSTER,))
    assert gone.body == Tombstone("pod:shop:p")
    legacy = decode_record(kafka_record("af-11.events.normalized", b"{", b"af-11|x"), frozenset({EVENTS}), patterns=(PER_CLUSTER,))
    assert legacy.key == ("af-11", "x")
    others = decode_record(kafka_record("af-11.state.k8s.resource", b"{", b"x"), patterns=(PER_CLUSTER,), only="af-10")
    assert (others.body, others.fault) == (None, None)


def test_a_header_names_one_tenant_or_the_record_is_at_fault() -> None:
    assert header_tenant(()) is None
    assert header_tenant((("other", b"x"), ("client_id", b"af-10"), ("client_id", b"af-10"))) == "af-10"
    assert header_tenant((("client_id", None),)) == ""
    assert header_tenant((("client_id", b"\xff"),)) == "\\xff"
    with pytest.raises(Fault) as raised:
        header_tenant((("client_id", b"af-10"), ("client_id", b"af-11")))
    assert raised.value.reason is Reason.TENANT_MISMATCH
