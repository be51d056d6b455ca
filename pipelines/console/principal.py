"""Who reads, and which tenants they may see."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from transforms.records.tenancy.tenant import is_tenant_id

EVERY: Final = "*"
NOBODY: Final = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """A reader. name: as the access log has it. client_ids: the tenants they may see; None for all."""

    name: str
    client_ids: frozenset[str] | None = None

    def may_see(self, client_id: str) -> bool:
        """Decided without a look at the graph, so that no answer shows whether a tenant exists that is not theirs."""
        return is_tenant_id(client_id) and (self.client_ids is None or client_id in self.client_ids)

    def visible(self, client_ids: Collection[str]) -> list[str]:
        return [one for one in client_ids if self.may_see(one)]


class BadTenants(ValueError):
    """An entry of --token_tenants that cannot be used; the message says why, in one sentence."""


def parse_tenants(entries: Collection[str]) -> dict[str, frozenset[str] | None]:
    """From `NAME=af-10,af-11` or `NAME=*` to tenants by name; of a name given twice, the tenants add up."""
    found: dict[str, frozenset[str] | None] = {}
    for entry in entries:
        name, equals, listed = entry.partition("=")
        tenants = [one.strip() for one in listed.split(",") if one.strip()]
        if not name.strip() or not equals or not tenants:
            raise BadTenants(f"--token_tenants {entry!r} must be NAME=TENANT,TENANT or NAME={EVERY}.")
        wrong = [one for one in tenants if one != EVERY and not is_tenant_id(one)]
        if wrong:
            raise BadTenants(f"--token_tenants {entry!r} names {wrong[0]!r}, which is no tenant id.")
        before = found.get(name.strip(), frozenset())
        found[name.strip()] = None if EVERY in tenants or before is None else before | frozenset(tenants)
    return found


def principal_of(names: Collection[str], tenants: Mapping[str, frozenset[str] | None]) -> Principal | None:
    """The reader who goes by these names (their own first, then their groups); None where none of them may see anything.

    The entry of `*` holds for everybody.
    """
    known = [tenants[name] for name in (*names, EVERY) if name in tenants]
    if not known:
        return None
    first = next(iter(names))
    return Principal(first, None) if None in known else Principal(first, frozenset().union(*(one for one in known if one is not None)))
