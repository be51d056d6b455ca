"""Whose record is it? The resolution order of the contract, as one ordered table.

A source either names a tenant or does not. Sources that name different tenants make the record a reject;
otherwise the first that may decide, decides; `--client_id` is the fallback and never relabels.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from transforms.model.kinds import RESERVED_TOKENS
from transforms.records.rejects import Fault, Reason

SEPARATOR: Final = "::"
LEGACY_SEPARATOR: Final = "|"
_TENANT: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


def is_tenant_id(text: str) -> bool:
    """True for a valid tenant id that is not the name of a kind (`node::n1` names no tenant)."""
    return _TENANT.fullmatch(text) is not None and text.lower() not in RESERVED_TOKENS


class SplitKey(NamedTuple):
    """A key taken apart: the tenant it names, None if it names none, and what is left."""

    client_id: str | None
    raw: str


def split_key(key: str, *, legacy: bool = False) -> SplitKey:
    """Take the tenant off a key; a key whose left part is no tenant id is a raw key as a whole.

    legacy: also split at the first pipe sign; only for topics that the operator listed.
    """
    for separator in (SEPARATOR, LEGACY_SEPARATOR) if legacy else (SEPARATOR,):
        left, found, right = key.partition(separator)
        if found and is_tenant_id(left):
            return SplitKey(left, right)
    return SplitKey(None, key)


class Claims(NamedTuple):
    """What the parts of one record say of its tenant; None where a part says nothing."""

    key: str | None
    body: str | None


@dataclass(frozen=True, slots=True)
class TenantRules:
    """The run's settings for resolution.

    client_id: single-tenant mode, "" for all tenants.
    registered: tenants that the registry knows; only for these may the body decide.
    """

    client_id: str = ""
    registered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """A place that may name the tenant, and whether its word may decide."""

    name: str
    names: Callable[[Claims], str | None]
    decides: Callable[[str, TenantRules], bool]


def _always(_client_id: str, _rules: TenantRules) -> bool:
    return True


# In the order of the contract. Topic pattern and header take their places between these two.
SOURCES: Final = (
    Source("key", lambda claims: claims.key, _always),
    Source("body", lambda claims: claims.body, lambda client_id, rules: client_id in rules.registered),
)


@lru_cache(maxsize=4096)
def resolve_tenant(claims: Claims, rules: TenantRules) -> str | None:
    """The record's tenant; None when single-tenant mode skips it as another's.

    Raises Fault: `tenant_mismatch` when two sources disagree, `tenant_invalid` when one names no valid id,
    `tenant_missing` when nothing decides.
    """
    named = [(source, client_id) for source in SOURCES if (client_id := source.names(claims)) is not None]
    for source, client_id in named:
        if not is_tenant_id(client_id):
            raise Fault(Reason.TENANT_INVALID, f"the {source.name} names the tenant {client_id[:80]!r}, which is not a valid id")
    if len({client_id for _, client_id in named}) > 1:
        said = ", ".join(f"the {source.name} says {client_id!r}" for source, client_id in named)
        raise Fault(Reason.TENANT_MISMATCH, f"{said}; a record belongs to one tenant")
    if rules.client_id:
        return rules.client_id if all(client_id == rules.client_id for _, client_id in named) else None
    for source, client_id in named:
        if source.decides(client_id, rules):
            return client_id
    raise Fault(
        Reason.TENANT_MISSING,
        "neither key nor registry names the tenant; produce with keys `client_id::raw key`, or run with --client_id",
    )
