"""Selectors select what Kubernetes says that they do."""

import pytest

from transforms.planning.selectors import parse_selector, terms_of
from transforms.planning.selects import matches
from transforms.records.spec_traffic import LabelSelector, Requirement

WEB, API, BARE = frozenset({"tier=web", "app=a"}), frozenset({"tier=api", "app=a", "safe="}), frozenset[str]()


def selected(*terms: str) -> list[frozenset[str]]:
    return [labels for labels in (WEB, API, BARE) if parse_selector(frozenset(terms)).holds(labels)]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (["*"], [WEB, API, BARE]),
        (["app=a"], [WEB, API]),
        (["app=a", "tier=web"], [WEB]),
        (["app=b"], []),
        (["tier in (api,db)"], [API]),
        (["tier in (api,web)"], [WEB, API]),
        (["tier notin (web)"], [API, BARE]),
        (["tier"], [WEB, API]),
        (["safe"], [API]),
        (["safe in ()"], [API]),
        (["!safe"], [WEB, BARE]),
        (["app=a", "!safe"], [WEB]),
        (["tier", "tier notin (api)"], [WEB]),
    ],
)
def test_labels_hold_a_selector_when_they_hold_every_term(terms: list[str], expected: list[frozenset[str]]) -> None:
    assert selected(*terms) == expected


def test_the_terms_of_a_selector_are_what_parsing_reads() -> None:
    wanted = [Requirement("tier", "In", ["web", "api"]), Requirement("safe", "DoesNotExist")]
    assert selected(*terms_of(LabelSelector({"app": "a"}, wanted))) == [WEB]
    assert terms_of(LabelSelector()) == terms_of(LabelSelector({}, [])) == ["*"]


def test_matches_stay_in_their_namespace_and_need_a_term() -> None:
    pods = {"pod:a:web": WEB, "pod:a:bare": BARE, "pod:b:web": WEB, "pod:a:gone": None}
    selecting = {
        "service:a:s": frozenset({"app=a"}),
        "service:a:none": frozenset[str](),
        "networkpolicy:a:all": frozenset({"*"}),
        "networkpolicy:b:web": frozenset({"tier in (web)"}),
        "networkpolicy:a:gone": None,
    }
    assert set(matches(selecting, pods)) == {
        ("service:a:s", "pod:a:web"),
        ("networkpolicy:a:all", "pod:a:web"),
        ("networkpolicy:a:all", "pod:a:bare"),
        ("networkpolicy:b:web", "pod:b:web"),
    }
