"""Requests to the API server. A response is read as a stream, line by line or as a whole of limited size, never without a limit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx2
import msgspec

from transforms.io.cluster.target import ClusterTarget
from transforms.records.redaction.text import redact_text

# An object has at most 1.5 MiB in etcd; JSON is larger than what is stored.
LINE_BYTES: Final = 16 * 1024 * 1024
WHOLE_BYTES: Final = 64 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_SHOWN: Final = 300
GONE: Final = 410


class ApiFault(Exception):
    """The API server answers otherwise than asked, or not at all.

    status: the HTTP status, 0 where there was no answer. The message names the request and what was said.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Silent(ApiFault):
    """Nothing came for as long as something must."""


class _Said(msgspec.Struct, frozen=True):
    message: str = ""


class ApiClient:
    """Requests to one API server. Safe to use from several threads.

    timeout_s: for an answer to begin and to go on; streams have their own.
    """

    def __init__(self, target: ClusterTarget, user_agent: str, timeout_s: float = 10.0) -> None:
        self._target = target
        self._timeout_s = timeout_s
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=8)
        verify = True if target.tls is None else target.tls
        headers = {"User-Agent": user_agent, "Accept": "application/json", "Accept-Encoding": "identity"}
        self._http = httpx2.Client(base_url=target.server, verify=verify, headers=headers, trust_env=False, limits=limits)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **parameters: str) -> bytes:
        """The whole answer, of at most `WHOLE_BYTES`; ApiFault for any but 200."""
        with self._open("GET", path, parameters, self._timeout_s) as response:
            found = bytearray()
            for chunk in response.iter_bytes():
                found += chunk
                if len(found) > WHOLE_BYTES:
                    raise ApiFault(0, f"the answer to {path} has more than {WHOLE_BYTES} bytes; ask for smaller pages")
            return bytes(found)

    def send(self, method: str, path: str, body: bytes) -> bytes:
        """POST or PUT of JSON; the whole answer."""
        with self._open(method, path, {}, self._timeout_s, body) as response:
            return response.read()

    @contextmanager
    def lines(self, path: str, silence_s: float, **parameters: str) -> Iterator[Iterator[bytes]]:
        """The lines of an answer as they come. Silent where none comes for `silence_s`; ApiFault where the stream breaks."""
        with self._open("GET", path, parameters, silence_s) as response:
            # What reads the lines does so outside of the block that opened them.
            yield _lines(_told(f"GET {path}", silence_s, response), path)

    @contextmanager
    def _open(
        self, method: str, path: str, parameters: dict[str, str], read_s: float, body: bytes | None = None
    ) -> Iterator[httpx2.Response]:
        token = self._target.token()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        timeout = httpx2.Timeout(self._timeout_s, read=read_s)
        with (
            _as_faults(f"{method} {path}", read_s),
            self._http.stream(method, path, params=parameters, headers=headers, timeout=timeout, content=body) as response,
        ):
            if response.status_code >= httpx2.codes.MULTIPLE_CHOICES:
                raise ApiFault(response.status_code, f"{method} {path}: {response.status_code}, {_said(response)}")
            yield response


@contextmanager
def _as_faults(request: str, read_s: float) -> Iterator[None]:
    """Whatever the client raises, as a fault that names the request."""
    try:
        yield
    except httpx2.ReadTimeout:
        raise Silent(0, f"{request}: nothing came for {read_s:.0f} s") from None
    except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
        raise ApiFault(0, f"{request}: {type(error).__name__} {redact_text(str(error))[:_SHOWN]}".rstrip()) from None


def _told(request: str, read_s: float, response: httpx2.Response) -> Iterator[bytes]:
    with _as_faults(request, read_s):
        yield from response.iter_bytes()


def _said(response: httpx2.Response) -> str:
    text = b""
    for chunk in response.iter_bytes():
        text += chunk
        if len(text) > _CHUNK:
            break
    try:
        said = msgspec.json.decode(text, type=_Said).message
    except msgspec.DecodeError:
        said = text[:_SHOWN].decode(errors="replace")
    return redact_text(said)[:_SHOWN]


def _lines(chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    """Complete lines only: the rest of a stream that breaks off is no line."""
    held = bytearray()
    for chunk in chunks:
        at = 0
        while (end := chunk.find(b"\n", at)) >= 0:
            held += chunk[at:end]
            at = end + 1
            if held.strip():
                yield bytes(held)
            held.clear()
        held += chunk[at:]
        if len(held) > LINE_BYTES:
            raise ApiFault(0, f"a line of {path} has more than {LINE_BYTES} bytes")
