"""Selectors select what Kubernetes says that they do."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.planning.facts.selectors import parse_selector, terms_of
from transforms.planning.merge.matching import Matcher
from transforms.records.specs.traffic import LabelSelector, Requirement

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


def test_a_matcher_gives_the_first_of_those_that_hold_in_the_order_of_their_rids() -> None:
    matcher = Matcher(
        {
            "p:a:5": frozenset({"app=a"}),
            "p:a:4": frozenset({"tier in (api,web)"}),
            "p:a:3": frozenset({"!safe"}),
            "p:a:2": frozenset({"tier"}),
            "p:a:1": frozenset({"app=a", "!safe"}),
            "p:a:0": frozenset[str](),
            "p:a:9": frozenset({"*"}),
        }
    )
    assert matcher.first(WEB, 9) == ["p:a:1", "p:a:2", "p:a:3", "p:a:4", "p:a:5"]
    assert matcher.first(WEB, 2) == ["p:a:1", "p:a:2"]
    assert matcher.first(API, 9) == ["p:a:2", "p:a:4", "p:a:5"]
    assert matcher.first(BARE, 9) == ["p:a:3"]


TERMS = [
    "app=a",
    "app=b",
    "app in (a,b)",
    "app",
    "app notin (a)",
    "tier=web",
    "tier in (api,web)",
    "tier in (db)",
    "tier",
    "safe",
    "!safe",
    "tier notin (api)",
]


@given(
    st.dictionaries(st.text("xyz", min_size=1, max_size=2), st.frozensets(st.sampled_from(TERMS)), max_size=9),
    st.sampled_from([WEB, API, BARE]),
    st.integers(1, 9),
)
def test_a_matcher_judges_as_each_selector_alone_does(selecting: dict[str, frozenset[str]], labels: frozenset[str], most: int) -> None:
    holding = [rid for rid in sorted(selecting) if selecting[rid] and parse_selector(selecting[rid]).holds(labels)]
    assert Matcher(selecting).first(labels, most) == holding[:most]
    with patch("transforms.planning.merge.matching._CROWDED", 0):
        assert Matcher(selecting).first(labels, most) == holding[:most]
