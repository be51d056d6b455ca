"""Which tenants there may be, by the names that people give to topics, consumer groups and their members: hints, and no more.

Nothing here ever decides whose a record is; that is for keys, topic patterns, headers and the registry alone.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from transforms.records.tenancy.routes import TENANT_GROUP, TENANT_PATTERN, matched, topic_per_cluster
from transforms.records.tenancy.tenant import is_tenant_id
from transforms.records.topic_names import TOPIC_NAMES

_TENANT: Final = rf"(?P<{TENANT_GROUP}>{TENANT_PATTERN})"
_ROLE_NAMES: Final = ("k8s", "kg", "graph", "knowledge", "build", "builder", "consumer", "agent", "reader", "worker", "group", "job")
_ROLES: Final = f"(?:{'|'.join(_ROLE_NAMES)})"
# What Kafka's own console consumer calls its groups.
_CONSOLE: Final = "console-consumer-"
# `graph-builder-af-10`, `af-10-graph-builder`: a role before the tenant or behind it, as builders of one cluster each are named.
MEMBER_PATTERNS: Final = (
    rf"(?:{_ROLES}[-._])+{_TENANT}",
    rf"(?P<{TENANT_GROUP}>[a-z0-9][a-z0-9.-]*?)(?:[-._]{_ROLES})+(?:[-._][0-9]+)?",
)


class Candidate(NamedTuple):
    """A tenant that there may be. seen_in: what named it, such as `topic af-10.events.normalized`."""

    client_id: str
    seen_in: tuple[str, ...]


def candidates(
    topics: Iterable[str], groups: Mapping[str, tuple[str, ...]], topic_patterns: tuple[str, ...], member_patterns: tuple[str, ...]
) -> list[Candidate]:
    """All candidates in order. groups: by id, what their members call themselves."""
    found: dict[str, list[str]] = {}

    def note(name: str, what: str, patterns: tuple[str, ...]) -> None:
        client_id = matched(name, patterns)
        if client_id and is_tenant_id(client_id) and client_id not in _ROLE_NAMES and not name.startswith(_CONSOLE):
            found.setdefault(client_id, []).append(f"{what} {name}")

    for topic in topics:
        if topic not in TOPIC_NAMES:
            note(topic, "topic", (*topic_patterns, topic_per_cluster(tuple(sorted(TOPIC_NAMES)))))
    for group, members in groups.items():
        note(group, "group", member_patterns)
        for member in members:
            note(member, f"member of {group}:", member_patterns)
    return [Candidate(client_id, tuple(dict.fromkeys(seen))) for client_id, seen in sorted(found.items())]
