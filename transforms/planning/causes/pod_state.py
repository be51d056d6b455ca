"""What a Pod's own status shows of its containers, for the moment and for its history."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from transforms.planning.causes.statuses import Condition, Container

_NO_IMAGE: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"})
_NOT_CREATED: Final = frozenset({"CreateContainerError", "CreateContainerConfigError", "RunContainerError"})
_LOOPS: Final = "CrashLoopBackOff"
_OOM: Final = "OOMKilled"
LOOP_RESTARTS: Final = 3


class Shown(NamedTuple):
    """A finding that a Pod's status shows. since: when it became so; None where the status does not say."""

    name: str
    container: str
    detail: str
    since: int | None


def shown_by(states: Iterable[Container], found: Mapping[str, Condition]) -> Iterator[Shown]:
    """The findings of each container, in their order. found: the Pod's conditions, by type."""
    not_ready = found["Ready"].since if "Ready" in found and found["Ready"].status != "True" else None
    for one in states:
        if one.waiting in _NO_IMAGE:
            yield Shown(image_finding(one.waiting, one.message), one.name, f"{one.waiting}: {one.message or one.image}", not_ready)
        elif one.waiting in _NOT_CREATED:
            yield Shown("CONTAINER_NOT_CREATED", one.name, f"{one.waiting}: {one.message}", not_ready)
        if one.ended == _OOM:
            yield Shown(
                "OOM_KILLED", one.name, f"the container {one.name} was killed for lack of memory, {one.restarts} restarts", one.ended_at
            )
        elif one.waiting == _LOOPS:
            yield Shown("CRASH_LOOP", one.name, _told(one), one.ended_at)


def _told(one: Container) -> str:
    how = f"ended with {one.exit_code} ({one.ended})" if one.ended else "ends again and again"
    return f"the container {one.name} {how}, {one.restarts} restarts"


# By what registries and runtimes say, in lower case; the first that fits.
_PULLS: Final = (
    (
        "IMAGE_REGISTRY_UNRESOLVED",
        ("no such host", "server misbehaving", "name resolution", "dial tcp: lookup", "i/o timeout", "no route to host"),
    ),
    (
        "IMAGE_PULL_DENIED",
        ("unauthorized", "authentication required", "authorization failed", "denied", "forbidden", "no basic auth", "403", "401"),
    ),
    (
        "IMAGE_NOT_FOUND",
        ("not found", "manifest unknown", "notfound", "repository does not exist", "couldn't parse image", "invalid reference"),
    ),
)


# A mirror that refuses an image, of which containerd names the registry so, tells neither that it does not exist nor of a login.
_OF_MIRROR: Final = "?ns="
_LOGIN: Final = ("authoriz", "authentic", "token", "credential")


def image_finding(reason: str, message: str) -> str:
    """Which of the findings about images a message tells of."""
    if reason == "InvalidImageName":
        return "IMAGE_NOT_FOUND"
    said = message.lower()
    if _OF_MIRROR in said and "forbidden" in said and not any(word in said for word in _LOGIN):
        return "IMAGE_PULL_FAILING"
    return next((name for name, words in _PULLS if any(word in said for word in words)), "IMAGE_PULL_FAILING")
