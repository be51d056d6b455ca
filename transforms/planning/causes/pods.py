"""Findings about what the containers of Pods do: images, memory, crashes, references."""

from collections.abc import Iterator
from typing import Final

from transforms.planning.causes.moments import MINUTE
from transforms.planning.causes.pod_state import LOOP_RESTARTS, Shown, image_finding, shown_by
from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import RECENT, Episode, Object, World

_BACK_OFF_WITHIN: Final = 7 * MINUTE
_OVER: Final = frozenset({"Succeeded"})


def pods(world: World) -> Iterator[Finding]:
    for workload in world.workloads:
        yield from _availability(world, workload)
        for pod in world.pods_of(workload.rid):
            if pod.phase not in _OVER:
                yield from _of_pod(world, workload.rid, pod)


def _of_pod(world: World, workload: str, pod: Object) -> Iterator[Finding]:
    told = world.about(pod.rid)
    pull = None
    for one in shown_by(pod.containers, pod.conditions):
        if pull is None and one.name.startswith("IMAGE_"):
            pull = _pull_of(told)
        name, detail, evidence = _named(one, pull or ())
        is_past = pod.is_ready and (one.since is None or world.now - one.since > RECENT)
        if not is_past:
            holds = not pod.is_ready
            last = None if holds else one.since
            yield Finding(name, workload, pod.rid, weight(name), detail, one.since, last, holds=holds, evidence=(pod.rid, *evidence))
    yield from _restarts(world, workload, pod, told)
    yield from _sandbox(world, workload, pod, told)
    if pod.phase == "Pending" and not pod.node:
        yield Finding("POD_PENDING", workload, pod.rid, weight("POD_PENDING"), "", pod.created, evidence=(pod.rid,))
    elif not pod.is_ready and "Ready" in pod.conditions:
        since = pod.conditions["Ready"].since
        yield Finding("POD_NOT_READY", workload, pod.rid, weight("POD_NOT_READY"), "", since, evidence=(pod.rid,))


def _pull_of(told: list[Episode]) -> tuple[Episode, ...]:
    """The Event that tells most about a pull that failed; none where none does."""
    pulls = (
        event for event in told if event.reason in ("Failed", "InspectFailed") and "image" in event.message and "pull" in event.message
    )
    last = max(pulls, key=lambda event: (len(event.message) > len("Failed to pull image"), event.at, event.eid), default=None)
    return (last,) if last is not None else ()


def _named(one: Shown, pull: tuple[Episode, ...]) -> tuple[str, str, tuple[str, ...]]:
    """Of an image, the Event about its pull tells more than the status."""
    if not one.name.startswith("IMAGE_") or not pull:
        return one.name, one.detail, ()
    return image_finding("", pull[0].message), pull[0].message, (pull[0].eid,)


def _restarts(world: World, workload: str, pod: Object, told: list[Episode]) -> Iterator[Finding]:
    """Restarts beside a loop that the status shows: the back-off of one that runs just now, and a single restart."""
    restarted = [one for one in pod.containers if one.restarts and not one.waiting and one.ended != "OOMKilled"]
    if not restarted:
        return
    backs = [
        event for event in told if event.reason == "BackOff" and world.now - event.at <= _BACK_OFF_WITHIN and "pull" not in event.message
    ]
    for one in restarted:
        at = one.ended_at or one.started
        how = f"the container {one.name} ended with {one.exit_code} ({one.ended or 'unknown'}), {one.restarts} restarts"
        if one.restarts >= LOOP_RESTARTS and backs and not _has_recovered(world, pod, backs[-1]):
            evidence = (pod.rid, backs[-1].eid)
            yield Finding("CRASH_LOOP", workload, pod.rid, weight("CRASH_LOOP"), how, backs[0].first, backs[-1].at, evidence=evidence)
        elif at is not None and world.now - at <= RECENT:
            yield Finding("RESTARTED", workload, pod.rid, weight("RESTARTED"), how, at, at, holds=False, evidence=(pod.rid,))


def _has_recovered(world: World, pod: Object, last: Episode) -> bool:
    ready = pod.conditions.get("Ready")
    return (
        pod.is_ready
        and ready is not None
        and ready.since is not None
        and ready.since > last.at + 2 * MINUTE
        and world.now > last.at + 5 * MINUTE
    )


def _sandbox(world: World, workload: str, pod: Object, told: list[Episode]) -> Iterator[Finding]:
    if pod.is_ready:
        return
    failed = [one for one in told if one.reason == "FailedCreatePodSandBox" and world.now - one.at <= RECENT]
    if failed:
        last = failed[-1]
        said = last.message.lower()
        name = "SANDBOX_OOM" if "oom" in said or "memory" in said else "SANDBOX_FAILED"
        yield Finding(name, workload, pod.rid, weight(name), last.message, failed[0].first, last.at, evidence=(last.eid,))


def _availability(world: World, workload: Object) -> Iterator[Finding]:
    wanted, there, ready = world.counts(workload.rid)
    if there < wanted:
        detail = f"{there} of {wanted} pods exist"
        yield Finding("PODS_MISSING", workload.rid, workload.rid, weight("PODS_MISSING"), detail, evidence=(workload.rid,))
    elif ready < wanted:
        detail = f"{ready} of {wanted} pods are ready"
        yield Finding("UNAVAILABLE", workload.rid, workload.rid, weight("UNAVAILABLE"), detail, evidence=(workload.rid,))
