"""One kind's objects as a stream: first all of them, then each change, over every fault of connection and server.

The end of the first part is certain: it is the API server's own bookmark (`k8s.io/initial-events-end`), or the last page of a list at one
resourceVersion. When changes may have been missed, `ListAnew` says so, and nothing else does.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple, Protocol

import msgspec

from transforms.io.cluster.api import GONE, ApiClient, ApiFault, Silent
from transforms.io.cluster.discovery import Collection

_END: Final = "k8s.io/initial-events-end"
_REFUSED: Final = frozenset({400, 403, 422})
# Asking again would be answered likewise; the server's own faults and overload pass.
_FINAL: Final = frozenset({400, 401, 403, 404, 405, 422})
_PAGE: Final = "50"
_LAST_S: Final = (240, 480)
_BACKOFF_S: Final = (0.2, 10.0)
_MOST_SILENCES: Final = 2


class Change(NamedTuple):
    """An object as it is now, or, if it is gone, as it was last."""

    is_gone: bool
    object: msgspec.Raw


class ListAnew(Exception):
    """What followed cannot be had any more, or may not have been told; the message says why. All objects are to be read anew."""


class Waiter(Protocol):
    """Waits, or is told to stop."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for so many seconds or until told to stop; whether told."""
        ...

    def is_set(self) -> bool: ...


class _Line(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    resource_version: str = ""
    annotations: dict[str, str] | None = None
    continue_: str = msgspec.field(default="", name="continue")


class _Object(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


class _Status(msgspec.Struct, frozen=True):
    code: int = 0
    message: str = ""


class _Page(msgspec.Struct, frozen=True):
    metadata: _Metadata
    items: list[msgspec.Raw] | None = None


_LINE: Final = msgspec.json.Decoder(_Line).decode
_OBJECT: Final = msgspec.json.Decoder(_Object).decode
_STATUS: Final = msgspec.json.Decoder(_Status).decode
_PAGE_OF: Final = msgspec.json.Decoder(_Page).decode


class ObjectStream:
    """The objects of one collection. For one thread.

    silence_s: API servers send a bookmark about every minute; after so long without a line the connection is taken for dead.
    streams: whether to ask for the first part as a stream; it is forgotten where the server refuses.
    bookmarks: False for what the API server does not cache, such as Events: there nobody says anything while nothing happens.
    """

    def __init__(
        self,
        api: ApiClient,
        collection: Collection,
        stop: Waiter,
        silence_s: float = 90.0,
        *,
        streams: bool = True,
        bookmarks: bool = True,
    ) -> None:
        self._api = api
        self._of = collection
        self._stop = stop
        self._silence_s = silence_s
        self._streams = streams
        self._bookmarks = bookmarks
        self._version = ""
        self._open: ExitStack | None = None
        self._lines: Iterator[bytes] | None = None

    @property
    def version(self) -> str:
        """The resourceVersion up to which everything was given."""
        return self._version

    def objects(self) -> Iterator[msgspec.Raw]:
        """All objects, each once; ended only if they were all. ApiFault where they cannot be had now."""
        self.close()
        if self._streams:
            try:
                yield from self._streamed()
            except ApiFault as fault:
                self.close()
                # Off in 1.33 and before 1.32; what ignores the wish sends no end, and falls silent.
                if fault.status not in _REFUSED and not isinstance(fault, Silent):
                    raise
                self._streams = False
            else:
                return
        yield from self._listed()

    def _streamed(self) -> Iterator[msgspec.Raw]:
        more = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        for line in self._watched(more):
            if line.type == "BOOKMARK":
                metadata = _OBJECT(line.object).metadata
                if (metadata.annotations or {}).get(_END) == "true":
                    self._version = metadata.resource_version
                    return
            elif line.type == "ERROR":
                raise _fault_of(line.object, self._of)
            elif line.type == "ADDED":
                yield line.object
            else:
                raise ApiFault(0, f"{self._of.path}: {line.type} before the end of the initial state")
        raise ApiFault(0, f"{self._of.path}: the stream ended before the end of the initial state")

    def _listed(self) -> Iterator[msgspec.Raw]:
        more = ""
        while not self._stop.is_set():
            asked = {"limit": _PAGE} | ({"continue": more} if more else {})
            page = _PAGE_OF(self._api.get(self._of.path, **asked))
            self._version = page.metadata.resource_version
            yield from page.items or ()
            more = page.metadata.continue_
            if not more:
                return
        raise ApiFault(0, f"{self._of.path}: stopped within a list")

    def changes(self) -> Iterator[Change]:
        """Each change since; ends when told to stop. ListAnew where some may be missing, ApiFault where the collection is refused."""
        faults = silences = 0
        while not self._stop.is_set():
            # What a server ends at once, it would end at once again.
            self._stop.wait(_pause(faults) if faults else 0)
            faults += 1
            try:
                for change in self._told():
                    faults = silences = 0
                    if change is not None:
                        yield change
            except Silent as fault:
                silences += 1
                if silences >= _MOST_SILENCES and self._bookmarks:
                    raise ListAnew(f"{fault}, {silences} times") from None
            except ApiFault as fault:
                if fault.status == GONE:
                    raise ListAnew(str(fault)) from None
                if fault.status in _FINAL:
                    raise
            except msgspec.DecodeError:
                raise ListAnew(f"{self._of.path}: a line that is no JSON") from None
            finally:
                self.close()

    def _told(self) -> Iterator[Change | None]:
        """The changes of one connection; None for a bookmark. The version goes up once whoever takes a change asks for the next."""
        for line in self._watched({"resourceVersion": self._version}):
            if line.type == "ERROR":
                raise _fault_of(line.object, self._of)
            version = _OBJECT(line.object).metadata.resource_version
            yield None if line.type == "BOOKMARK" else Change(line.type == "DELETED", line.object)
            self._version = version or self._version
            if self._stop.is_set():
                return

    def _watched(self, parameters: dict[str, str]) -> Iterator[_Line]:
        """The lines of a watch; those of the one that is open already, if it is."""
        if self._lines is None:
            last_s = str(random.randint(*_LAST_S))  # noqa: S311 - spreads the load of the kinds
            asked = {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": last_s, **parameters}
            self._open = ExitStack()
            self._lines = self._open.enter_context(self._api.lines(self._of.path, self._silence_s, **asked))
        for text in self._lines:
            yield _LINE(text)

    def close(self) -> None:
        """Give up the connection."""
        if self._open is not None:
            self._open.close()
        self._open = self._lines = None


def _fault_of(status: msgspec.Raw, of: Collection) -> ApiFault:
    said = _STATUS(status)
    return ApiFault(said.code, f"{of.path}: {said.code}, {said.message[:300]}")


def _pause(faults: int) -> float:
    first, most = _BACKOFF_S
    return min(first * float(2 ** min(faults, 10)), most) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the load
