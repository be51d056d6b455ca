"""Schemas by their id, from a registry that speaks Confluent's API; each is fetched once.

What a schema is never changes, so it is kept for as long as the process lives; that an id is unknown is kept for half a
minute, since a producer may be faster than its registry. Each unknown id costs a question: whoever has asked many in vain, and
all that nobody knows together, are not asked for any more for a while, so that random ids hold up nobody.
"""

import atexit
import functools
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import httpx2
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, SchemaRegistryError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from transforms.io.faults import InfrastructureFault
from transforms.io.kafka.registry_target import RegistryTarget
from transforms.records.rejects import Fault, Reason
from transforms.records.wrappers.avro import AvroReader
from transforms.records.wrappers.unwrap import PayloadReader

_REQUEST_S: Final = 10.0
_UNKNOWN_S: Final = 30.0
_HELD: Final = 4096
_REFERENCES: Final = 64
_NO_SCHEMA: Final = frozenset({40401, 40402, 40403})
_BUSY: Final = 429
_SERVER: Final = 500
_LOGIN: Final = frozenset({401, 403})
_CLIENT: Final = 400
# Ids that may be asked for in vain in `_UNKNOWN_S`: by one, and by all together of which no schema is known.
_IN_VAIN: Final = 32
_IN_VAIN_IN_ALL: Final = 512
# Those of which a schema is known may ask for so many times that.
_TRUST: Final = 4

T = TypeVar("T")


class _Unknown(NamedTuple):
    """An id that the registry does not know; `until` by the monotonic clock, in seconds."""

    fault: Fault
    until: float


class SchemaRegistry:
    """One registry; close it with the owner. Every fault of the registry's is an InfrastructureFault."""

    def __init__(self, target: RegistryTarget, now: Callable[[], float] = time.monotonic) -> None:
        self._target = target
        self._now = now
        self._held: dict[int, PayloadReader | Fault] = {}
        self._unknown: dict[int, _Unknown] = {}
        self._in_vain: Counter[str] = Counter()
        self._in_vain_until = 0.0
        self._trusted: set[str] = set()
        self._lock = threading.Lock()
        try:
            self._client = SchemaRegistryClient(_config(target))
        except (OSError, ssl.SSLError, ValueError) as error:
            raise self._fault(f"the settings cannot be used: {str(error)[:120]}") from error

    def close(self) -> None:
        self._client.close()

    def reader(self, schema_id: int, asker: str = "") -> PayloadReader:
        """What reads the payloads of a schema; Fault where the registry does not know it or it cannot be used.

        asker: on whose behalf; it is not asked where that one, or all together, have asked in vain too often.
        """
        found = self._held.get(schema_id)
        if found is None:
            with self._lock:
                found = self._looked_up(schema_id, asker)
        if isinstance(found, Fault):
            # Raised anew: one that is raised again and again would hold every trace of it.
            raise Fault(found.reason, found.detail, parsed=found.parsed)
        return found

    def _looked_up(self, schema_id: int, asker: str) -> PayloadReader | Fault:
        now = self._now()
        unknown = self._unknown.get(schema_id)
        if unknown is not None and unknown.until >= now:
            return unknown.fault
        if now >= self._in_vain_until:
            self._in_vain_until = now + _UNKNOWN_S
            self._in_vain.clear()
        in_all = _IN_VAIN_IN_ALL * (_TRUST if asker in self._trusted else 1)
        if self._in_vain[asker] >= _IN_VAIN or self._in_vain.total() >= in_all:
            said = f"the schema {schema_id} is not known here, and too many unknown ones were asked for within {_UNKNOWN_S:.0f} s"
            return Fault(Reason.SCHEMA_UNKNOWN, f"{said}; replay the record where the schema is registered", parsed=False)
        found = self._fetch(schema_id)
        if isinstance(found, Fault) and found.reason is Reason.SCHEMA_UNKNOWN:
            self._in_vain[asker] += 1
            _bound(self._unknown)
            self._unknown[schema_id] = _Unknown(found, self._now() + _UNKNOWN_S)
            return found
        self._unknown.pop(schema_id, None)
        if not isinstance(found, Fault) and len(self._trusted) < _HELD:
            self._trusted.add(asker)
        _bound(self._held)
        self._held[schema_id] = found
        return found

    def ping(self) -> None:
        """Return where the registry answers this user; InfrastructureFault otherwise."""
        try:
            self._answer(self._client.get_subjects)
        except SchemaRegistryError as error:
            raise self._refused(error) from error

    def _fetch(self, schema_id: int) -> PayloadReader | Fault:
        """What the registry holds under the id; a Fault where that is nothing, or nothing that can be used."""
        schema = self._ask(lambda: self._client.get_schema(schema_id))
        if schema is None:
            said = f"the schema registry does not know the schema {schema_id}; register it, or write with the registry that is configured"
            return Fault(Reason.SCHEMA_UNKNOWN, said, parsed=False)
        try:
            return self._reader_of(schema_id, schema)
        except Fault as fault:
            return fault

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
        """The answer, None where there is no such schema."""
        try:
            return self._answer(request)
        except SchemaRegistryError as error:
            if not _is_of_one(error):
                raise self._refused(error) from error
            if error.error_code not in _NO_SCHEMA:
                # No word of a registry's own: where there is one all the same, it is this id that it cannot take.
                self.ping()
            return None

    def _answer(self, request: Callable[[], T]) -> T:
        """The answer, or SchemaRegistryError for what the registry refuses; asked again with back-off while it is away or busy."""
        again = Retrying(
            retry=retry_if_exception(_is_transient),
            wait=wait_exponential_jitter(multiplier=0.2, max=5),
            stop=stop_after_delay(self._target.retry_s),
            reraise=True,
        )
        try:
            return again(request)
        except SchemaRegistryError:
            raise
        except httpx2.HTTPError as error:
            raise self._fault(str(error)[:120] or type(error).__name__) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._fault("what answers there is no schema registry") from error

    def _refused(self, error: SchemaRegistryError) -> InfrastructureFault:
        login = "it refused the login: " if error.http_status_code in _LOGIN else ""
        return self._fault(f"{login}{error.http_status_code} {str(error.error_message)[:120]}")

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


def _is_of_one(error: SchemaRegistryError) -> bool:
    """Whether the registry refuses what was asked for, and not who asks or that it is asked now."""
    status = error.http_status_code
    return error.error_code in _NO_SCHEMA or (_CLIENT <= status < _SERVER and status != _BUSY and status not in _LOGIN)


def _bound(held: dict[int, Any]) -> None:
    """Make room where so much is held that random ids must be the cause; what is wanted is asked for again."""
    if len(held) >= _HELD:
        held.clear()


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
