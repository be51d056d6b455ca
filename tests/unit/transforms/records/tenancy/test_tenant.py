"""Whose record it is follows the order of the contract, and nothing ever relabels a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.model.kinds import KINDS, RESERVED_TOKENS
from transforms.records.tenancy.tenant import BARE, LEGACY, PLAIN, SplitKey, is_tenant_id, split_key


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("af-10", True),
        ("a", True),
        ("0", True),
        ("a.b-c", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("", False),
        ("-a", False),
        (".a", False),
        ("A", False),
        ("af_10", False),
        ("af 10", False),
        ("af-10\n", False),
        ("ä", False),
        ("a:b", False),
        ("a|b", False),
        ("nodes", True),
    ],
)
def test_a_tenant_id_is_lower_case_letters_digits_dots_and_dashes(text: str, valid: bool) -> None:
    assert is_tenant_id(text) is valid


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS] + sorted(RESERVED_TOKENS))
def test_the_name_of_a_kind_is_no_tenant_in_any_case(kind: str) -> None:
    assert not any(is_tenant_id(text) for text in (kind, kind.lower(), kind.upper(), kind.capitalize()))


@pytest.mark.parametrize(
    ("key", "split"),
    [
        ("af-10::pod:shop:p", ("af-10", "pod:shop:p")),
        ("af-10::node::n1", ("af-10", "node::n1")),
        ("af-10::a::b", ("af-10", "a::b")),
        ("af-10::", ("af-10", "")),
        ("node::n1", (None, "node::n1")),
        ("Node::n1", (None, "Node::n1")),
        ("NODE::af-10::x", (None, "NODE::af-10::x")),
        ("node::af-10::x", (None, "node::af-10::x")),
        ("Not_A_Tenant::pod:shop:p", (None, "Not_A_Tenant::pod:shop:p")),
        ("::pod:shop:p", (None, "::pod:shop:p")),
        ("pod:shop:p", (None, "pod:shop:p")),
        ("af-10:pod", (None, "af-10:pod")),
        ("af-10|pod:shop:p", (None, "af-10|pod:shop:p")),
        ("", (None, "")),
    ],
)
def test_only_a_valid_tenant_left_of_the_first_separator_counts(key: str, split: tuple[str | None, str]) -> None:
    assert split_key(key) == SplitKey(*split)


@pytest.mark.parametrize(
    ("key", "split"),
    [
        ("af-10|pod:shop:p", ("af-10", "pod:shop:p")),
        ("af-10|a|b", ("af-10", "a|b")),
        ("af-10::a|b", ("af-10", "a|b")),
        ("af-10|node::n1", ("af-10", "node::n1")),
        ("node|n1", (None, "node|n1")),
        ("node::a|b", (None, "node::a|b")),
        ("|x", (None, "|x")),
        ("x y|z", (None, "x y|z")),
    ],
)
def test_the_pipe_sign_separates_on_legacy_topics(key: str, split: tuple[str | None, str]) -> None:
    assert split_key(key, LEGACY) == SplitKey(*split)


@given(st.text(alphabet="af-1:|N ", max_size=12), st.booleans())
def test_splitting_loses_nothing_of_a_key(key: str, legacy: bool) -> None:
    client_id, raw = split_key(key, LEGACY if legacy else PLAIN)
    assert key in ({raw} if client_id is None else {f"{client_id}::{raw}", f"{client_id}|{raw}"})


@pytest.mark.parametrize(
    ("key", "split"),
    [("af-10", ("af-10", "")), ("NODE", ("NODE", "")), ("node", ("node", "")), ("af-10::x", ("af-10", "x")), ("", (None, ""))],
)
def test_a_bare_key_is_the_tenant_whatever_it_is(key: str, split: tuple[str | None, str]) -> None:
    assert split_key(key, BARE) == SplitKey(*split)
