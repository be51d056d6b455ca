"""Findings about what refuses Pods, Services and claims: quotas, ServiceAccounts, admission."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from transforms.planning.causes.ailing import NEARLY
from transforms.planning.causes.quantities import amount
from transforms.planning.causes.statuses import part
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import RECENT, Object, World

_QUOTA: Final = "exceeded quota"
_ACCOUNT: Final = re.compile(r'service ?account "?(?:[a-z0-9.-]+/)?([a-z0-9.-]+)"? not found|serviceaccount "([a-z0-9.-]+)" not found')


def admission(world: World) -> Iterator[Finding]:
    yield from _quotas(world)
    for workload in world.workloads:
        wanted, there, ready = world.counts(workload.rid)
        if there < wanted or (ready < wanted and there <= ready):
            yield from _refused(world, workload)
    yield from _missing_claims(world)


def _refused(world: World, workload: Object) -> Iterator[Finding]:
    told = [one for one in world.about_workload(workload.rid) if one.reason == "FailedCreate" and world.now - one.at <= RECENT]
    if not told:
        return
    quota = [one for one in told if _QUOTA in one.message]
    if quota:
        last, space = quota[-1], f"namespace::{workload.ns}"
        evidence = tuple(one.eid for one in quota[-3:])
        first = min(one.first for one in quota)
        yield Finding("QUOTA_EXCEEDED", space, workload.rid, weight("QUOTA_EXCEEDED"), last.message, first, last.at, evidence=evidence)
        yield Finding("PODS_REFUSED", workload.rid, workload.rid, 0.4, last.message, first, last.at, evidence=evidence)
        return
    last = told[-1]
    found = _ACCOUNT.search(last.message)
    evidence = (last.eid,)
    if found is None:
        yield Finding(
            "PODS_REFUSED", workload.rid, workload.rid, weight("PODS_REFUSED"), last.message, last.first, last.at, evidence=evidence
        )
        return
    account = next(name for name in found.groups() if name)
    exists = not world.is_missing(f"serviceaccount:{workload.ns}:{account}")
    w = 0.3 if exists else weight("SERVICE_ACCOUNT_MISSING")
    yield Finding("SERVICE_ACCOUNT_MISSING", workload.rid, workload.rid, w, last.message, last.first, last.at, evidence=evidence)


def _quotas(world: World) -> Iterator[Finding]:
    short = {one.ns for one in world.workloads if (counted := world.counts(one.rid))[1] < counted[0]}
    for quota in world.of_kind("resourcequota"):
        space = f"namespace::{quota.ns}"
        for name, most, used in limits(quota):
            if most <= 0 or used < NEARLY * most:
                continue
            found = "QUOTA_FULL" if used >= most else "QUOTA_NEARLY_FULL"
            detail = f"{quota.title}: {name} {used:g} of {most:g}"
            w = 0.15 if found == "QUOTA_NEARLY_FULL" and quota.ns not in short else weight(found)
            yield Finding(found, space, quota.rid, w, detail, evidence=(quota.rid,))


def limits(quota: Object) -> Iterator[tuple[str, float, float]]:
    """(resource, most, used) of a quota."""
    hard, used = part(quota.status, "hard"), part(quota.status, "used")
    for name in sorted(hard):
        most, now = amount(hard[name]), amount(used.get(name))
        if most is not None and now is not None:
            yield name, most, now


def full_quota(world: World, ns: str, words: tuple[str, ...]) -> tuple[Object, str] | None:
    """A quota of the Namespace on a resource of one of these words that has no room, and what it says."""

    def found() -> tuple[Object, str] | None:
        for quota in world.quotas_in(ns):
            for name, most, used in limits(quota):
                if name in words and used >= most:
                    return quota, f"{quota.title}: {name} {used:g} of {most:g}"
        return None

    return world.once(("full quota", ns, *words), found)


_OF_CLAIMS: Final = ("persistentvolumeclaims", "count/persistentvolumeclaims", "requests.storage")


def _missing_claims(world: World) -> Iterator[Finding]:
    """A claim that a Pod waits for and nothing has made, while a quota on storage leaves no room."""
    for pod in world.of_kind("pod"):
        if pod.is_ready or pod.phase != "Pending":
            continue
        for rid in world.mounted(pod.rid):
            if rid.startswith("persistentvolumeclaim:") and world.is_missing(rid):
                full = full_quota(world, pod.ns, _OF_CLAIMS) or world.once(("tight", pod.ns), partial(_tight, world, pod.ns))
                if full:
                    detail = f"{full[1]}; the claim {rid.rpartition(':')[2]} that {pod.title} waits for does not exist"
                    evidence = (full[0].rid, pod.rid)
                    w = weight("QUOTA_REFUSES_CLAIM")
                    yield Finding("QUOTA_REFUSES_CLAIM", f"namespace::{pod.ns}", pod.rid, w, detail, pod.created, evidence=evidence)


def _tight(world: World, ns: str) -> tuple[Object, str] | None:
    """A quota on storage of a Namespace without claims: what it leaves is less than what somebody asked for."""
    if not world.knows_all("persistentvolumeclaim") or any(claim.ns == ns for claim in world.of_kind("persistentvolumeclaim")):
        return None
    for quota in world.quotas_in(ns):
        for name, most, used in limits(quota):
            if name in _OF_CLAIMS:
                return quota, f"{quota.title}: {name} {used:g} of {most:g}"
    return None
