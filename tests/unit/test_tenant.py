"""Whose record it is follows the order of the contract, and nothing ever relabels a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.model.kinds import KINDS, RESERVED_TOKENS
from transforms.records.rejects import Fault, Reason
from transforms.records.tenant import Claims, SplitKey, TenantRules, is_tenant_id, resolve_tenant, split_key


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
    assert split_key(key, legacy=True) == SplitKey(*split)


@given(st.text(alphabet="af-1:|N ", max_size=12), st.booleans())
def test_splitting_loses_nothing_of_a_key(key: str, legacy: bool) -> None:
    client_id, raw = split_key(key, legacy=legacy)
    assert key in ({raw} if client_id is None else {f"{client_id}::{raw}", f"{client_id}|{raw}"})


_ALL = TenantRules()
_REGISTERED = TenantRules(registered=frozenset({"af-10", "af-11"}))
_SINGLE = TenantRules("af-10")
_SINGLE_REGISTERED = TenantRules("af-10", frozenset({"af-10", "af-11"}))


@pytest.mark.parametrize(
    ("key", "body", "rules", "tenant"),
    [
        ("af-10", None, _ALL, "af-10"),
        ("af-10", "af-10", _ALL, "af-10"),
        ("af-12", None, _REGISTERED, "af-12"),
        (None, "af-11", _REGISTERED, "af-11"),
        (None, None, _SINGLE, "af-10"),
        ("af-10", None, _SINGLE, "af-10"),
        (None, "af-10", _SINGLE, "af-10"),
        ("af-10", "af-10", _SINGLE, "af-10"),
        ("af-11", None, _SINGLE, None),
        (None, "af-11", _SINGLE, None),
        ("af-11", "af-11", _SINGLE, None),
        (None, "af-11", _SINGLE_REGISTERED, None),
    ],
)
def test_the_first_source_that_may_decide_decides(key: str | None, body: str | None, rules: TenantRules, tenant: str | None) -> None:
    assert resolve_tenant(Claims(key, body), rules) == tenant


@pytest.mark.parametrize(
    ("key", "body", "rules", "reason"),
    [
        ("af-10", "af-11", _ALL, Reason.TENANT_MISMATCH),
        ("af-10", "af-11", _REGISTERED, Reason.TENANT_MISMATCH),
        ("af-10", "af-11", _SINGLE, Reason.TENANT_MISMATCH),
        ("af-11", "af-10", _SINGLE, Reason.TENANT_MISMATCH),
        (None, "af-10", _ALL, Reason.TENANT_MISSING),
        (None, "af-12", _REGISTERED, Reason.TENANT_MISSING),
        (None, None, _ALL, Reason.TENANT_MISSING),
        (None, None, _REGISTERED, Reason.TENANT_MISSING),
        (None, "NOT VALID", _ALL, Reason.TENANT_INVALID),
        ("af-10", "Af-10", _ALL, Reason.TENANT_INVALID),
        ("af-10", "node", _SINGLE, Reason.TENANT_INVALID),
        (None, "", _SINGLE, Reason.TENANT_INVALID),
    ],
)
def test_what_names_no_tenant_or_two_is_a_fault(key: str | None, body: str | None, rules: TenantRules, reason: Reason) -> None:
    with pytest.raises(Fault) as raised:
        resolve_tenant(Claims(key, body), rules)
    assert raised.value.reason is reason


_CLAIM = st.sampled_from([None, "af-10", "af-11", "NO"])


@given(_CLAIM, _CLAIM, st.frozensets(st.sampled_from(["af-10", "af-11"])), st.sampled_from(["", "af-10"]))
def test_a_resolved_tenant_is_one_that_was_named_or_the_fallback(
    key: str | None, body: str | None, known: frozenset[str], single: str
) -> None:
    try:
        tenant = resolve_tenant(Claims(key, body), TenantRules(single, known))
    except Fault:
        return
    named = {key, body} - {None}
    assert (tenant in named) if named and tenant is not None else (tenant == (None if named else single))
