"""The real stack, once per session, on free loopback ports; each test begins with empty topics and an empty graph."""

import os
from collections.abc import Iterator

import pytest

from runners.local.endpoints import STACK_DIR_VARIABLE
from runners.local.stack import LocalStack, free_stack_ports
from scripts.faulting.neighbours import AUTHORIZING
from tests.support.forked import ForkingLauncher
from tests.support.places import CHECKOUT
from tests.system.flink_world import flink, flink_cluster  # noqa: F401  (fixtures, for whoever names them)
from tests.system.lab_world import brokers, kube, plane  # noqa: F401  (fixtures, for whoever names them)
from tests.system.world import World
from transforms.io.kafka.offsets import KafkaOffsets
from transforms.io.neo4j.store import Neo4jGraphStore
from transforms.io.neo4j.time_limits import TimeLimits

JARS = CHECKOUT / ".stack" / "java"
_SHARED = {"flink", "plane", "secured", "served", "server"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a server of their own, beside the stack, run in one worker where there are several."""
    for item in items:
        if "tests/system" in item.nodeid:
            item.add_marker(pytest.mark.system)
            shared = _SHARED & {*getattr(item, "fixturenames", ())}
            if shared:
                item.add_marker(pytest.mark.xdist_group("+".join(sorted(shared))))


def pytest_collection_finish(session: pytest.Session) -> None:
    """With workers, a group that is not kept together would start its servers once more in each, and say nothing."""
    if not session.config.getoption("loadgroup", default=False):
        return
    for item in session.items:
        for mark in item.iter_markers("xdist_group"):
            if not item.nodeid.endswith(f"@{mark.args[0]}"):
                raise pytest.UsageError(f"{item.nodeid} is not kept with its group {mark.args[0]!r}: pytest-xdist and pytest do not fit.")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("stack")
    # Servers that live for minutes gain nothing by Java's second compiler, and lose a third of the time to it.
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
    stack = LocalStack(folder, free_stack_ports(), JARS, AUTHORIZING)
    # Every test begins with an empty graph, after which each statement would be planned anew, for seconds in all.
    stack.neo4j.settings["dbms.cypher.min_replan_interval"] = "1h"
    os.environ[STACK_DIR_VARIABLE] = str(folder)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
        del os.environ[STACK_DIR_VARIABLE]


@pytest.fixture(scope="session")
def launch() -> Iterator[ForkingLauncher]:
    launcher = ForkingLauncher()
    yield launcher
    launcher.close()


@pytest.fixture
def world(stack: LocalStack, launch: ForkingLauncher) -> Iterator[World]:
    world = World(stack, launch)
    world.clear()
    yield world
    world.close()


@pytest.fixture
def store(world: World) -> Iterator[Neo4jGraphStore]:
    """A store of its own on the empty graph, with its constraints and indexes."""
    found = Neo4jGraphStore(world.neo4j_target, TimeLimits(group_s=60))
    found.ensure_schema()
    yield found
    found.close()


@pytest.fixture
def offsets(world: World) -> Iterator[KafkaOffsets]:
    """The offsets of the tests' group."""
    found = KafkaOffsets(world.kafka_target)
    yield found
    found.close()
