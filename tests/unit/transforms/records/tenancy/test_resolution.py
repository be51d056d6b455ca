"""Whose record is it: the order of the sources, the rules, and the limit on new tenants."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.records.rejects import Fault, Reason
from transforms.records.tenancy.directory import HOUR_MS, ClusterEntry, Directory, directory_of
from transforms.records.tenancy.tenant import Claims, TenantResolver, TenantRules, resolve_tenant

_ALL = TenantRules()
_SINGLE = TenantRules("af-10")
_NOBODY = Directory()
_KNOWN = directory_of(
    [ClusterEntry("af-10", is_registered=True, cluster="east"), ClusterEntry("af-11", is_registered=True, cluster="west")], 0
)


@pytest.mark.parametrize(
    ("claims", "rules", "directory", "tenant"),
    [
        (Claims(key="af-10"), _ALL, _NOBODY, "af-10"),
        (Claims(topic="af-10"), _ALL, _NOBODY, "af-10"),
        (Claims(header="af-10"), _ALL, _NOBODY, "af-10"),
        (Claims("af-10", "af-10", "af-10", "af-10", "west"), _ALL, _KNOWN, "af-10"),
        (Claims(key="af-12"), _ALL, _KNOWN, "af-12"),
        (Claims(body="af-11"), _ALL, _KNOWN, "af-11"),
        (Claims(cluster="west"), _ALL, _KNOWN, "af-11"),
        (Claims(body="af-10", cluster="west"), _ALL, _KNOWN, "af-10"),
        (Claims(), _SINGLE, _NOBODY, "af-10"),
        (Claims(cluster="east"), _SINGLE, _KNOWN, "af-10"),
        (Claims(cluster="north"), _SINGLE, _KNOWN, "af-10"),
        (Claims(key="af-10"), _SINGLE, _NOBODY, "af-10"),
        (Claims(body="af-10"), _SINGLE, _NOBODY, "af-10"),
        (Claims(key="af-11"), _SINGLE, _NOBODY, None),
        (Claims(topic="af-11"), _SINGLE, _NOBODY, None),
        (Claims(header="af-11"), _SINGLE, _NOBODY, None),
        (Claims(body="af-11"), _SINGLE, _NOBODY, None),
        (Claims(cluster="west"), _SINGLE, _KNOWN, None),
    ],
)
def test_the_first_source_that_may_decide_decides(claims: Claims, rules: TenantRules, directory: Directory, tenant: str | None) -> None:
    assert resolve_tenant(claims, rules, directory) == tenant


@pytest.mark.parametrize(
    ("claims", "rules", "directory", "reason"),
    [
        (Claims(key="af-10", body="af-11"), _ALL, _KNOWN, Reason.TENANT_MISMATCH),
        (Claims(key="af-10", topic="af-11"), _ALL, _KNOWN, Reason.TENANT_MISMATCH),
        (Claims(key="af-10", header="af-11"), _ALL, _NOBODY, Reason.TENANT_MISMATCH),
        (Claims(topic="af-10", header="af-11"), _ALL, _NOBODY, Reason.TENANT_MISMATCH),
        (Claims(header="af-10", body="af-11"), _ALL, _KNOWN, Reason.TENANT_MISMATCH),
        (Claims(key="af-10", body="af-11"), _SINGLE, _NOBODY, Reason.TENANT_MISMATCH),
        (Claims(body="af-10"), _ALL, _NOBODY, Reason.TENANT_MISSING),
        (Claims(body="af-12"), _ALL, _KNOWN, Reason.TENANT_MISSING),
        (Claims(body="af-12", cluster="west"), _ALL, _KNOWN, Reason.TENANT_MISSING),
        (Claims(), _ALL, _KNOWN, Reason.TENANT_MISSING),
        (Claims(cluster="north"), _ALL, _KNOWN, Reason.TENANT_MISSING),
        (Claims(body="NOT VALID"), _ALL, _NOBODY, Reason.TENANT_INVALID),
        (Claims(header="NOT VALID"), _ALL, _NOBODY, Reason.TENANT_INVALID),
        (Claims(topic="node"), _ALL, _NOBODY, Reason.TENANT_INVALID),
        (Claims(key="af-10", body="Af-10"), _ALL, _NOBODY, Reason.TENANT_INVALID),
        (Claims(body=""), _SINGLE, _NOBODY, Reason.TENANT_INVALID),
    ],
)
def test_what_names_no_tenant_or_two_is_a_fault(claims: Claims, rules: TenantRules, directory: Directory, reason: Reason) -> None:
    with pytest.raises(Fault) as raised:
        resolve_tenant(claims, rules, directory)
    assert raised.value.reason is reason


_CLAIM = st.sampled_from([None, "af-10", "af-11", "NO"])


def stated(claims: Claims, rules: TenantRules, directory: Directory) -> str | Reason | None:
    """The order of the contract, stated a second time."""
    said = {*claims[:4]} - {None}
    if "NO" in said:
        return Reason.TENANT_INVALID
    if len(said) > 1:
        return Reason.TENANT_MISMATCH
    named = {*said} or {directory.called(claims.cluster)} - {None}
    if rules.client_id:
        return rules.client_id if named <= {rules.client_id} else None
    by_body_alone = bool(said) and claims[:3] == (None, None, None)
    if not named or (by_body_alone and not named <= {*directory.registered}):
        return Reason.TENANT_MISSING
    return named.pop()


def answered(claims: Claims, rules: TenantRules, directory: Directory) -> str | Reason | None:
    try:
        return resolve_tenant(claims, rules, directory)
    except Fault as fault:
        return fault.reason


@given(
    st.builds(Claims, _CLAIM, _CLAIM, _CLAIM, _CLAIM, st.sampled_from([None, "east", "west"])),
    st.booleans(),
    st.sampled_from(["", "af-10"]),
)
def test_no_record_ever_lands_with_a_tenant_that_it_does_not_name(claims: Claims, is_known: bool, single: str) -> None:
    directory = _KNOWN if is_known else _NOBODY
    assert answered(claims, TenantRules(single), directory) == stated(claims, TenantRules(single), directory)


def test_a_name_that_two_clusters_share_names_nobody() -> None:
    shared = directory_of([ClusterEntry(one, is_registered=True, cluster="prod") for one in ("af-10", "af-11")], 0)
    assert shared.called("prod") is None
    assert resolve_tenant(Claims(key="af-10", cluster="prod"), _ALL, shared) == "af-10"


@pytest.mark.parametrize(
    ("rules", "client_id", "reason"),
    [
        (TenantRules(allow=("af-*",)), "af-10", None),
        (TenantRules(allow=("af-*",)), "bf-10", Reason.TENANT_DENIED),
        (TenantRules(deny=("af-1?",)), "af-10", Reason.TENANT_DENIED),
        (TenantRules(deny=("af-1?",)), "af-100", None),
        (TenantRules(allow=("af-*",), deny=("af-10",)), "af-10", Reason.TENANT_DENIED),
    ],
)
def test_the_operator_says_who_is_let_in(rules: TenantRules, client_id: str, reason: Reason | None) -> None:
    resolver = TenantResolver(rules)
    if reason is None:
        assert resolver.resolve(Claims(client_id)) == client_id
        return
    for _ in range(2):
        with pytest.raises(Fault) as raised:
            resolver.resolve(Claims(client_id))
        assert raised.value.reason is reason


def _admitted(directory: Directory, *tenants: str, limit: int = 2) -> list[str]:
    resolver = TenantResolver(TenantRules(new_per_hour=limit), directory)
    found = []
    for tenant in tenants:
        try:
            found.append(str(resolver.resolve(Claims(tenant))))
        except Fault as fault:
            found.append(f"{tenant}: {fault.reason}")
    return [one for one in found if not one.endswith(": tenant_quota")]


def test_no_more_new_tenants_than_the_limit_come_in_within_the_hour() -> None:
    now = 10 * HOUR_MS
    recent, old = ClusterEntry("a", created_ms=now - 1), ClusterEntry("b", created_ms=now - HOUR_MS)
    registered = ClusterEntry("r", is_registered=True, created_ms=now)

    assert _admitted(_NOBODY, "x", "y", "z", "x") == ["x", "y", "x"]
    assert _admitted(_NOBODY, "x", "y", "z", limit=0) == ["x", "y", "z"]
    assert _admitted(directory_of([recent, old, registered], now), "a", "b", "r", "x", "y", "a") == ["a", "b", "r", "x", "a"]
