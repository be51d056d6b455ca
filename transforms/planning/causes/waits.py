"""Which Nodes the Pods without a Node wait for: those that are cordoned, and those that are not ready."""

from transforms.planning.causes.placement import MOST_NODES, asks_for_nodes, waiting
from transforms.planning.causes.world import Object, World


def cordoned_for(world: World) -> dict[str, list[Object]]:
    """By Node, the Pods that may run nowhere but on cordoned Nodes, of which it is one; a taint that keeps them away is another cause."""

    def found() -> dict[str, list[Object]]:
        pods: dict[str, list[Object]] = {}
        for one in waiting(world):
            if one.places is not None and one.places.fitting and not one.places.open_to:
                for node in one.places.fitting[:MOST_NODES]:
                    pods.setdefault(node.rid, []).extend(one.pods)
        return pods

    return world.once(("cordoned for",), found)


def not_ready_for(world: World) -> dict[str, list[Object]]:
    """By Node that is not ready, the Pods that ask for such a Node."""

    def found() -> dict[str, list[Object]]:
        pods: dict[str, list[Object]] = {}
        for one in waiting(world):
            if one.places is not None and asks_for_nodes(one.pods[0].facts):
                for node in [node for node in one.places.fitting if not node.is_ready][:MOST_NODES]:
                    pods.setdefault(node.rid, []).extend(one.pods)
        return pods

    return world.once(("not ready for",), found)
