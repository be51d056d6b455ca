"""Sends messages about incidents over HTTP, and remembers in a file what was sent: at least once, never twice knowingly."""

import hashlib
import hmac
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import msgspec

from transforms.io.faults import InfrastructureFault
from transforms.io.secrets import Secret
from transforms.planning.causes.messages import PAYLOADS, Message, Sent

SIGNATURE: Final = "X-Graph-Build-Signature"
TIMESTAMP: Final = "X-Graph-Build-Timestamp"
PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
_TIMEOUT_S: Final = 10.0
_TRIES: Final = 3
_TOO_MANY: Final = 429
_SERVER: Final = 500
_LOCAL: Final = ("127.0.0.1", "localhost", "::1")


class Sender:
    """Sends one kind of message to one place.

    secret: PagerDuty's routing key, or the key of the signature of a generic webhook; None for none. url: may be a secret itself, and
    is in no message. link: with {iid}, {client_id} and {opened}.
    """

    def __init__(self, to: str, url: str, secret: Secret | None, link: str, wait: Callable[[float], object] = time.sleep) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
            raise InfrastructureFault(f"The place for {to} must be an https URL; set INCIDENTS_URL or INCIDENTS_URL_FILE to one.")
        self._to = to
        self._url = url
        self._key = secret.read() if secret else ""
        self._link = link
        self._wait = wait
        self._client = httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False)

    def close(self) -> None:
        self._client.close()

    def send(self, message: Message) -> None:
        """Return once the receiver has taken it; InfrastructureFault where it does not, after three tries."""
        body = msgspec.json.encode(PAYLOADS[self._to](message, self._link, self._key), order="sorted")
        said = ""
        for attempt in range(_TRIES):
            if attempt:
                self._wait(float(2**attempt))
            try:
                answer = self._client.post(self._url, content=body, headers=self._headers(message, body))
            except httpx2.HTTPError as error:
                said = type(error).__name__
                continue
            if answer.is_success:
                return
            said = f"status {answer.status_code}"
            if answer.status_code != _TOO_MANY and answer.status_code < _SERVER:
                break
        raise InfrastructureFault(
            f"{self._to} did not take the message about {message.key} ({said}); check its URL and key, then run again."
        )

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"{message.key}:{message.state}"}
        if self._to == "webhook" and self._key:
            at = str(int(time.time()))
            signed = hmac.new(self._key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
            headers |= {TIMESTAMP: at, SIGNATURE: f"sha256={signed}"}
        return headers


def read_sent(file: Path) -> dict[str, Sent]:
    """What the file remembers; nothing where there is none. InfrastructureFault where it cannot be read."""
    try:
        held: dict[str, Any] = msgspec.json.decode(file.read_bytes())
        return {key: Sent(str(one[0]), str(one[1]), int(one[2]), dict(one[3])) for key, one in held.items()}
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise InfrastructureFault(f"The state file {file} cannot be read ({type(error).__name__}); mend it, or name another.") from error


def keep_sent(file: Path, sent: Mapping[str, Sent]) -> None:
    """Put the file in place as a whole."""
    handle, made = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "wb") as held:
        held.write(msgspec.json.encode(dict(sorted(sent.items()))))
        held.flush()
        os.fsync(held.fileno())
    Path(made).replace(file)
