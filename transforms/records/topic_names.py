"""The names of the contract's topics, for who names them without reading them; `topics` has how each is decoded."""

from difflib import get_close_matches
from typing import Final

RESOURCES: Final = "state.k8s.resource"
TOPOLOGY: Final = "state.k8s.topology"
EVENTS: Final = "events.normalized"
LOGS: Final = "logs.normalized"
TARGETS: Final = "state.prom.targets"
RULES: Final = "state.prom.rules"
COMMANDS: Final = "graph.commands"
REGISTRY: Final = "cluster.registry"
HEARTBEATS: Final = "cluster.heartbeat"

# In the order in which documents and `--topics` list them.
ALL_TOPICS: Final = (RESOURCES, TOPOLOGY, EVENTS, LOGS, TARGETS, RULES, COMMANDS, REGISTRY, HEARTBEATS)
TOPIC_NAMES: Final = frozenset(ALL_TOPICS)
_ALIKE: Final = 0.9


def near_topic(name: str) -> str:
    """The topic that a misspelt name probably means; "" for a name that is like none, and for one with something before a topic."""
    near = get_close_matches(name, TOPIC_NAMES, 1, _ALIKE)
    return near[0] if near and not name.endswith(near[0]) else ""
