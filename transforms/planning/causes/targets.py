"""Findings about scrape targets of the control plane and of Nodes' own components."""

from collections.abc import Iterator
from typing import Final

from transforms.planning.causes.table import Finding, weight
from transforms.planning.causes.world import World

_COMPONENTS: Final = ("kubelet", "kube-proxy", "kube-scheduler")


def targets(world: World) -> Iterator[Finding]:
    """Those that are down, of which the labels name the Node or a Pod on it."""
    for one in world.targets:
        job = str(one.get("job") or "")
        component = next((name for name in _COMPONENTS if name in job), None)
        if component is None or one.get("health") != "down":
            continue
        subject = str(one.get("subject") or "")
        held = world.get(subject)
        node = subject if subject.startswith("node::") else held.node if held else ""
        if node:
            detail = f"{component} does not answer: {one.get('last_error') or 'down'}"
            yield Finding("COMPONENT_DOWN", node, node, weight("COMPONENT_DOWN"), detail, evidence=(node,))
