"""Topics of one cluster each: which of the contract's topics one stands for, and whose it is.

A layout of one topic per cluster (`af-10.events.normalized`) is declared by patterns, so that a new cluster's topics need
no configuration.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import re2

from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason

TENANT_GROUP: Final = "client_id"
TOPIC_GROUP: Final = "topic"
# What a tenant id is, as far as a pattern can tell; `is_tenant_id` has the last word.
TENANT_PATTERN: Final = "[a-z0-9][a-z0-9.-]{0,62}"
_SEPARATORS: Final = ".-_"


class TopicRoute(NamedTuple):
    """What a topic's name says. topic: the topic of the contract that it stands for. client_id: None where it names none."""

    topic: str
    client_id: str | None = None


class BadPattern(ValueError):
    """A topic pattern that cannot be used; the message says why."""


def check_pattern(pattern: str) -> str:
    """The pattern, if topics can be matched by it; BadPattern otherwise."""
    try:
        compiled = re2.compile(pattern, _quiet())
    except re2.error as error:
        raise BadPattern(f"{pattern!r} is no regular expression that RE2 takes ({_said(error)})") from None
    if TENANT_GROUP not in compiled.groupindex:
        raise BadPattern(f"{pattern!r} has no group (?P<{TENANT_GROUP}>…) that says whose a topic is")
    return pattern


def topic_per_cluster(topics: tuple[str, ...]) -> str:
    """The pattern of `<client_id>.<topic>` for all of the topics."""
    names = "|".join(re2.escape(topic) for topic in topics)
    return rf"(?P<{TENANT_GROUP}>{TENANT_PATTERN})\.(?P<{TOPIC_GROUP}>{names})"


@lru_cache(maxsize=64 * 1024)
def route_of(topic: str, patterns: tuple[str, ...], known: frozenset[str]) -> TopicRoute:
    """The route of a topic's name: by itself where it is one of the contract's, else by the first pattern that matches whole.

    known: the contract's topics. A pattern with a group `topic` says itself which of them it is; otherwise it is what the
    name begins or ends with beside the tenant.
    """
    if topic in known:
        return TopicRoute(topic)
    for pattern in patterns:
        found = _compiled(pattern).fullmatch(topic)
        if found and found.group(TENANT_GROUP):
            return TopicRoute(_base(found, topic), found.group(TENANT_GROUP))
    return TopicRoute(topic)


def topics_to_read(named: Iterable[str], there: Iterable[str], patterns: tuple[str, ...], deadletter_topic: str) -> list[str]:
    """The topics that are named, then those that are there and belong to a cluster, by a pattern, sorted.

    Kafka's own topics belong to nobody, and neither does what the job writes itself.
    """
    own = (topic for topic in there if topic != deadletter_topic and _is_routed(topic, patterns))
    return list(dict.fromkeys((*named, *sorted(own))))


def _is_routed(topic: str, patterns: tuple[str, ...]) -> bool:
    return not topic.startswith("__") and any(_compiled(pattern).fullmatch(topic) for pattern in patterns)


def matched(name: str, patterns: tuple[str, ...]) -> str | None:
    """What the first pattern that matches the name whole takes for the tenant; None where none does."""
    for pattern in patterns:
        found = _compiled(pattern).fullmatch(name)
        if found:
            return found.group(TENANT_GROUP) or None
    return None


def _base(found: Any, topic: str) -> str:
    named = found.groupdict().get(TOPIC_GROUP)
    if named:
        return str(named)
    start, end = found.span(found.re.groupindex[TENANT_GROUP])
    before, after = topic[:start].rstrip(_SEPARATORS), topic[end:].lstrip(_SEPARATORS)
    return after or before


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    return re2.compile(check_pattern(pattern), _quiet())


def _quiet() -> Any:
    options = re2.Options()
    options.log_errors = False
    return options


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def header_tenant(headers: tuple[tuple[str, bytes | None], ...]) -> str | None:
    """The tenant that a record's headers name, None where none does; Fault where two of them differ or one is no text."""
    named = {value or b"" for name, value in headers if name == TENANT_GROUP}
    if not named:
        return None
    if len(named) > 1:
        said = ", ".join(shown(value) for value in sorted(named))
        raise Fault(Reason.TENANT_MISMATCH, f"the headers `{TENANT_GROUP}` say {said}; a record belongs to one tenant")
    return named.pop().decode("utf-8", errors="backslashreplace")
