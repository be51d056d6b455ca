"""The fields of a collector's record of a line: which pod wrote it, what it says, and whose it may be.

A collector adds what it knows of the pod to the line, and often the fields of the line itself to its record, under whatever
names the application gave them. So no field is an error here: one that is not what we look for is passed over.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from transforms.records.severity import NO_LEVEL, Level, is_level_name, level_in

_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ANY: Final = msgspec.json.Decoder().decode
_ENCODE: Final = msgspec.json.Encoder().encode
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_TENANT_CHARACTERS: Final = 63

# Fields that collectors and runtimes add; our envelope has none of them.
_MARKS: Final = frozenset(
    {
        *("@timestamp", "@version", "@metadata", "_p", "logtag", "docker", "source_type", "date", "timestamp", "time", "file", "filename"),
        *("fields", "labels", "resource", "resources", "attributes", "sourcetype", "agent", "tag", "MESSAGE", "_SYSTEMD_UNIT", "pod"),
    }
)
_OBJECT: Final = ord("{")
# Where else a pod's names may lie, and with which names before them.
_HOLDERS: Final = ("resource", "resources", "attributes", "fields", "labels", "stream", "metadata")
_PREFIXES: Final = ("kubernetes.", "kubernetes_", "resource.attributes.k8s.", "k8s.", "k8s_")
_NAMESPACES: Final = ("namespace_name", "pod_namespace", "namespace", "namespace.name")
_PODS: Final = ("pod_name", "pod", "pod.name")
_CONTAINERS: Final = ("container_name", "container", "container.name")
_TELLING: Final = frozenset((*_NAMESPACES, *_PODS, *_CONTAINERS, "log.file.path"))
_PATHS: Final = ("file", "filename", "path", "log.file.path", "log_file_path", "source", "log", "attributes")
# The kubelet's and Docker's files, and the names that Docker's journald driver gives containers of pods.
_FILES: Final = (
    re.compile(r"/pods/(?P<namespace>[a-z0-9-]{1,63})_(?P<pod>[a-z0-9.-]{1,253})_[0-9a-f-]{1,64}/(?P<container>[a-z0-9-]{1,63})/"),
    re.compile(r"/containers/(?P<pod>[a-z0-9.-]{1,253})_(?P<namespace>[a-z0-9-]{1,63})_(?P<container>[a-z0-9-]{1,63})-[0-9a-f]{64}\.log"),
    re.compile(r"^k8s_(?P<container>[a-z0-9-]{1,63})_(?P<pod>[a-z0-9.-]{1,253})_(?P<namespace>[a-z0-9-]{1,63})_[0-9a-f-]{1,64}_[0-9]+$"),
)
_LONGEST_PATH: Final = 1024
# Where loggers write the text of a structured line, for collectors that keep nothing but its fields.
_TEXTS: Final = (
    *("MESSAGE", "msg", "short_message", "full_message", "@message", "@m", "RenderedMessage", "Message", "@mt", "M", "Body", "body"),
    *("event", "line", "entry", "text", "textPayload"),
)
# What a record holds beside the application's fields.
_COLLECTORS_OWN: Final = _MARKS | {
    *("kubernetes", "stream", "log", "message", "host", "hostname", "ecs", "input", "container", "cluster", "index", "source"),
    *("timestamp_end", "client_id", "namespace", "node", "orchestrator", "event_id", "event_time", "subject"),
    *("pod_name", "pod_namespace", "container_name"),
}


class Pod(NamedTuple):
    """The pod that wrote a line; container "" where it is not told."""

    namespace: str
    name: str
    container: str = ""


class Fields:
    """A record by its fields, each decoded when it is asked for; what cannot be decoded counts as absent."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._raw = _FIELDS(text)

    def get(self, name: str) -> Any:
        raw = self._raw.get(name)
        if raw is None:
            return None
        try:
            return _ANY(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None

    def text_of(self, name: str) -> str:
        """A field that is text; "" for any other."""
        found = self.get(name)
        return found if isinstance(found, str) else ""

    def __contains__(self, name: str) -> bool:
        return name in self._raw

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    @property
    def is_collected(self) -> bool:
        """Whether a collector wrote the record, and not an agent that keeps to our envelope."""
        raw = self._raw
        return (
            ("kubernetes" in raw and bytes(raw["kubernetes"])[0] == _OBJECT)
            or not _MARKS.isdisjoint(raw)
            or any(name.startswith(_PREFIXES) for name in raw)
        )

    def level(self) -> Level:
        """The level by the record's fields; an unknown word counts as written, with no severity."""
        level = level_in({name: self.get(name) if is_level_name(name) else None for name in self._raw})
        if level == NO_LEVEL:
            stated = next((said for name in ("severity", "level") if (said := self.get(name)) is not None), None)
            if isinstance(stated, str | int):
                return Level(str(stated)[:_LONGEST_PATH], NO_LEVEL.severity)
        return level

    def tenant_hint(self) -> str | None:
        """What the record calls `client_id`: the tenant, or anything that an application calls so."""
        hint = self.text_of("client_id")
        return hint if 0 < len(hint) <= _TENANT_CHARACTERS else None

    def line(self) -> str | None:
        """The text of a line of which the collector kept the fields alone; None where there are none."""
        for name in _TEXTS:
            found = self.get(name)
            if isinstance(found, str) and found:
                return found
            if name == "MESSAGE" and isinstance(found, list):
                # journald's form of what is no UTF-8.
                return bytes(one for one in found if isinstance(one, int) and 0 <= one < 256).decode(errors="replace")  # noqa: PLR2004
        left = {name: raw for name, raw in self._raw.items() if name not in _COLLECTORS_OWN and not name.startswith(_PREFIXES)}
        if not left:
            return None
        first = bytes(next(iter(left.values())))
        return (first if len(left) == 1 and first[0] == _OBJECT else _ENCODE(left)).decode(errors="replace")

    def pod(self) -> Pod | None:
        """The pod, by the surest fields that name one; None where none do."""
        for scope in self._scopes():
            found = _pod_in(scope)
            if found is not None:
                return found
        return self._pod_of_subject() or self._pod_of_path()

    def _pod_of_subject(self) -> Pod | None:
        subject = self.get("subject")
        if not isinstance(subject, dict) or subject.get("kind") != "Pod":
            return None
        return _pod_in({"namespace": subject.get("ns"), "pod": subject.get("name")})

    def _scopes(self) -> Iterator[dict[str, Any]]:
        kubernetes = self.get("kubernetes")
        if isinstance(kubernetes, dict):
            yield kubernetes
        flat = {name: self.get(name) for name in self._raw if name.startswith(_PREFIXES)}
        if flat:
            yield _unprefixed(flat)
        for name in _HOLDERS:
            held = self.get(name)
            if isinstance(held, dict):
                inner = held.get("attributes")
                yield _unprefixed(inner if isinstance(inner, dict) else held)
        yield {name: self.get(name) for name in (*_NAMESPACES, *_PODS, *_CONTAINERS)}

    def _pod_of_path(self) -> Pod | None:
        for name in ("CONTAINER_NAME", *_PATHS):
            found = _pod_of(_path_in(self.get(name)))
            if found is not None:
                return found
        return None


def may_name_pod(attribute: str) -> bool:
    """Whether an attribute of that name may tell which pod wrote a line."""
    return attribute in _TELLING or (attribute.startswith(_PREFIXES) and _bare(attribute) in _TELLING)


def pod_in_attributes(attributes: dict[str, Any]) -> Pod | None:
    """The pod that OpenTelemetry's attributes name, of a resource and a log record together."""
    return _pod_in(_unprefixed(attributes)) or _pod_of(_path_in(attributes.get("log.file.path")))


def _pod_in(scope: dict[str, Any]) -> Pod | None:
    namespace, name = _name_in(scope, _NAMESPACES), _name_in(scope, _PODS)
    return Pod(namespace, name, _name_in(scope, _CONTAINERS)) if namespace and name else None


def _name_in(scope: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        found = scope.get(name)
        if isinstance(found, dict):
            found = found.get("name")
        if isinstance(found, str) and _NAME.fullmatch(found):
            return found
    return ""


def _unprefixed(fields: dict[str, Any]) -> dict[str, Any]:
    return {_bare(name): said for name, said in fields.items()}


def _bare(name: str) -> str:
    return next((name[len(one) :] for one in _PREFIXES if name.startswith(one)), name)


def _path_in(said: Any) -> str:
    """A path that a field holds, as text, or as Elastic's and OpenTelemetry's objects have it."""
    if isinstance(said, dict):
        said = said.get("log.file.path") or said.get("path") or said.get("file")
        said = said.get("path") if isinstance(said, dict) else said
    return said if isinstance(said, str) else ""


def _pod_of(path: str) -> Pod | None:
    for pattern in _FILES if 0 < len(path) <= _LONGEST_PATH else ():
        found = pattern.search(path)
        if found:
            return Pod(found["namespace"], found["pod"], found["container"])
    return None
