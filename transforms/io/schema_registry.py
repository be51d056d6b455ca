"""Schemas by their id, from a registry that speaks Confluent's API; each is fetched once.

What a schema is never changes, so it is kept for as long as the process lives; that an id is unknown is kept for half a
minute, since a producer may be faster than its registry.
"""

import atexit
import functools
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from transforms.io.faults import InfrastructureFault
from transforms.io.registry_target import RegistryTarget
from transforms.records.avro import AvroReader
from transforms.records.rejects import Fault, Reason
from transforms.records.wire import PayloadReader

_REQUEST_S: Final = 10.0
_UNKNOWN_S: Final = 30.0
_HELD: Final = 4096
_REFERENCES: Final = 64
_NO_SCHEMA: Final = frozenset({40401, 40402, 40403})
_BUSY: Final = 429
_SERVER: Final = 500
_LOGIN: Final = frozenset({401, 403})

T = TypeVar("T")


class _Held(NamedTuple):
    """What is known of a schema's id; `until` by the monotonic clock, in seconds."""

    found: PayloadReader | Fault
    until: float = float("inf")


class SchemaRegistry:
    """One registry; close it with the owner. Every fault of the registry's is an InfrastructureFault."""

    def __init__(self, target: RegistryTarget, now: Callable[[], float] = time.monotonic) -> None:
        self._target = target
        self._now = now
        self._held: dict[int, _Held] = {}
        self._lock = threading.Lock()
        try:
            self._client = SchemaRegistryClient(_config(target))
        except (OSError, ssl.SSLError, ValueError) as error:
            raise self._fault(f"the settings cannot be used: {str(error)[:120]}") from error

    def close(self) -> None:
        self._client.close()

    def reader(self, schema_id: int) -> PayloadReader:
        """What reads the payloads of a schema; Fault where the registry does not know it or it cannot be used."""
        held = self._held.get(schema_id)
        if held is None or held.until < self._now():
            with self._lock:
                held = self._fetch(schema_id)
                if len(self._held) >= _HELD:
                    self._held.clear()
                self._held[schema_id] = held
        if isinstance(held.found, Fault):
            # Raised anew: one that is raised again and again would hold every trace of it.
            raise Fault(held.found.reason, held.found.detail, parsed=held.found.parsed)
        return held.found

    def ping(self) -> None:
        """Return where the registry answers this user; InfrastructureFault otherwise."""
        self._ask(self._client.get_subjects)

    def _fetch(self, schema_id: int) -> _Held:
        schema = self._ask(lambda: self._client.get_schema(schema_id))
        if schema is None:
            said = f"the schema registry does not know the schema {schema_id}; register it, or write with the registry that is configured"
            return _Held(Fault(Reason.SCHEMA_UNKNOWN, said, parsed=False), self._now() + _UNKNOWN_S)
        try:
            return _Held(self._reader_of(schema_id, schema))
        except Fault as fault:
            return _Held(fault)

    def _reader_of(self, schema_id: int, schema: Schema) -> PayloadReader:
        kind = schema.schema_type or "AVRO"
        if kind == "JSON":
            return bytes
        if kind == "AVRO":
            texts: dict[tuple[str, int], str] = {}
            self._refer(schema, texts, ())
            return AvroReader([*texts.values(), schema.schema_str or ""])
        said = f"the schema {schema_id} is of the type {str(kind)[:32]}, which is not taken; write Avro or JSON"
        raise Fault(Reason.BAD_WRAPPER, said, parsed=False)

    def _refer(self, schema: Schema, texts: dict[tuple[str, int], str], above: tuple[tuple[str, int], ...]) -> None:
        """Add what the schema refers to, each before whoever refers to it."""
        for one in schema.references or ():
            place = (str(one.subject), int(one.version))
            if place in texts:
                continue
            if place in above or len(texts) + len(above) >= _REFERENCES:
                said = (
                    f"the schema's reference to {place[0][:80]} is circular, or one of more than {_REFERENCES}; such schemas are not taken"
                )
                raise Fault(Reason.BAD_WRAPPER, said, parsed=False)
            found = self._ask(functools.partial(self._client.get_version, *place))
            if found is None:
                said = f"the schema refers to {place[0][:80]} version {place[1]}, which the registry does not know; register it"
                raise Fault(Reason.SCHEMA_UNKNOWN, said, parsed=False)
            self._refer(found.schema, texts, (*above, place))
            texts[place] = found.schema.schema_str or ""

    def _ask(self, request: Callable[[], T]) -> T | None:
        """The answer, None where there is no such schema; asked again with back-off while the registry is away or busy."""
        again = Retrying(
            retry=retry_if_exception(_is_transient),
            wait=wait_exponential_jitter(multiplier=0.2, max=5),
            stop=stop_after_delay(self._target.retry_s),
            reraise=True,
        )
        try:
            return again(request)
        except SchemaRegistryError as error:
            if error.error_code in _NO_SCHEMA:
                return None
            login = "it refused the login: " if error.http_status_code in _LOGIN else ""
            raise self._fault(f"{login}{error.http_status_code} {str(error.error_message)[:120]}") from error
        except httpx2.HTTPError as error:
            raise self._fault(str(error)[:120] or type(error).__name__) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._fault("what answers there is no schema registry") from error

    def _fault(self, said: str) -> InfrastructureFault:
        return InfrastructureFault(
            f"The schema registry at {self._target.url} cannot be used ({said}); nothing after the last committed offsets counts as done: "
            "start it or fix SCHEMA_REGISTRY_URL and its login, then run again."
        )


def _config(target: RegistryTarget) -> dict[str, Any]:
    """The client's configuration. Holds the password: never log, store or serialise it."""
    config: dict[str, Any] = {"url": target.url, "timeout": _REQUEST_S, "max.retries": 0}
    if target.user:
        config["basic.auth.user.info"] = f"{target.user}:{target.password.read()}"
    if target.ca_file:
        config["ssl.ca.location"] = target.ca_file
    return config


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, SchemaRegistryError):
        return bool(error.http_status_code >= _SERVER or error.http_status_code == _BUSY)
    return isinstance(error, httpx2.TransportError)


@functools.cache
def process_registry(target: RegistryTarget) -> SchemaRegistry:
    """The registry that all decoding in this process shares, with the schemas that it told; open until the process ends."""
    registry = SchemaRegistry(target)
    atexit.register(registry.close)
    return registry
